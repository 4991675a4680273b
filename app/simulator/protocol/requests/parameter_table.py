"""The table of parameters in parameters.txt."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass
class Kind:
    """One kind of value that a parameter takes."""

    name: str  # text, one of, integer, number, boolean, decimal, currency, timestamp, "", {}, map, list
    longest: int | None = None
    words: tuple[str, ...] = ()
    element: "tuple[Kind, ...]" = ()  # of a map or list
    fields: "dict[str, Parameter]" = field(default_factory=dict)  # of an object


@dataclass
class Parameter:
    """A parameter in the table."""

    required: bool
    kinds: tuple[Kind, ...]


def table() -> dict[str, dict[str, Parameter]]:
    """Return the parameters of each operation, such as "POST /v1/customers"."""
    return _read().operations


def words(shape: str) -> tuple[str, ...]:
    """Return the words of a shape in the table, such as "event" or "api_version"."""
    return _read().shapes[shape][0].words


@cache
def _read() -> "_Reader":
    return _Reader(Path(__file__).with_name("parameters.txt").read_text())


class _Reader:
    """Reads parameters.txt. The file explains its notation at the top."""

    def __init__(self, text: str) -> None:
        self.shapes: dict[str, tuple[Kind, ...]] = {}
        self.operations: dict[str, dict[str, Parameter]] = {}
        joined = re.sub(r"\n *\.\. ", " ", text)
        lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
        blocks: list[list[str]] = []
        for line in lines:
            if not line.startswith(" "):
                blocks.append([])
            blocks[-1].append(line)
        self._waiting = {b[0].split(" ")[0][1:]: b for b in blocks if b[0].startswith("@")}
        for head, *body in blocks:
            if not head.startswith("@"):
                self.operations[head] = self._fields(body)

    def _shape(self, name: str) -> tuple[Kind, ...]:
        if name in self._waiting:
            head, *body = self._waiting.pop(name)
            self.shapes[name] = self._kinds(head.partition(" ")[2], body)
        return self.shapes[name]

    def _fields(self, lines: list[str]) -> dict[str, Parameter]:
        """Return the parameters at the outermost indentation, each with the lines below it."""
        if not lines:
            return {}
        indent = len(lines[0]) - len(lines[0].lstrip())
        starts = [i for i, line in enumerate(lines) if line[indent] != " "]
        fields = {}
        for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
            name, _, kinds = lines[start].strip().partition(" ")
            parameter = Parameter(name.endswith("!"), self._kinds(kinds, lines[start + 1 : end]))
            fields[name.removesuffix("!")] = parameter
        return fields

    def _kinds(self, text: str, below: list[str]) -> tuple[Kind, ...]:
        found: list[Kind] = []
        for part in text.split(" | "):
            if part.startswith("@"):
                found += self._shape(part[1:])
            else:
                found.append(self._kind(part, below))
        return tuple(found)

    def _kind(self, text: str, below: list[str]) -> Kind:
        if text == "{}":
            return Kind("{}", fields=self._fields(below))
        if text[0] in "{[":
            return Kind("map" if text[0] == "{" else "list", element=self._kinds(text[1:-1], below))
        if text.startswith("one of "):
            return Kind("one of", words=tuple(text.split(" ")[2:]))
        name, _, longest = text.partition(" ")
        return Kind(name, longest=int(longest) if longest else None)
