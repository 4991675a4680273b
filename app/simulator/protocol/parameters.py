"""Checks parameters at every depth, as the table in parameters.txt says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from app.simulator.protocol.currencies import CURRENCIES
from app.simulator.protocol.errors import StripeError, missing_parameter
from app.simulator.store import JSON

# By its description Stripe takes no empty value for these, but in fact it does, and unsets them.
_UNSETTABLE = frozenset(
    [
        *("city", "country", "line1", "line2", "postal_code", "state"),
        *("default_payment_method", "description", "email", "name", "phone"),
    ]
)


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


def check(operation: str, given: JSON) -> JSON:
    """Return the parameters with the types that the table gives them.

    Raises StripeError for unknown parameters first, then for missing ones, then for wrong values.
    """
    known = table()[operation]
    unknown = list(_unknown(known, given, ""))
    if unknown:
        raise _unknown_parameters(unknown)
    return _object(known, given, "")


def _unknown_parameters(unknown: list[tuple[str, str | None]]) -> StripeError:
    names = ", ".join(name for name, _ in unknown)
    message = f"Received unknown parameter{'s' if len(unknown) > 1 else ''}: {names}"
    first, suggestion = unknown[0]
    if suggestion and len(unknown) == 1:
        message += f". Did you mean {suggestion}?"
    return StripeError(message, code="parameter_unknown", param=first)


def _unknown(known: dict[str, Parameter], given: JSON, path: str) -> Iterator[tuple[str, str | None]]:
    for name, value in given.items():
        here = f"{path}[{name}]" if path else name
        if name not in known:
            yield here, next(iter(get_close_matches(name, known, n=1)), None)
            continue
        yield from _unknown_within(known[name].kinds, value, here)


def _unknown_within(kinds: tuple[Kind, ...], value: object, path: str) -> Iterator[tuple[str, str | None]]:
    if not isinstance(value, dict):
        return
    for kind in kinds:
        if kind.name == "{}":
            yield from _unknown(kind.fields, value, path)
        elif kind.name in {"list", "map"}:
            for name, element in value.items():
                yield from _unknown_within(kind.element, element, f"{path}[{name}]")


def _object(known: dict[str, Parameter], given: JSON, path: str) -> JSON:
    for name, parameter in known.items():
        if parameter.required and name not in given:
            raise missing_parameter(f"{path}[{name}]" if path else name)
    return {
        name: _value(known[name].kinds, value, f"{path}[{name}]" if path else name)
        for name, value in given.items()
    }


def _value(kinds: tuple[Kind, ...], value: object, path: str) -> object:
    if isinstance(value, dict):
        return _nested(kinds, value, path)
    text = str(value)
    by_name = {kind.name: kind for kind in kinds}
    if text == "":
        if '""' in by_name or re.split(r"[\[\]]+", path.rstrip("]"))[-1] in _UNSETTABLE:
            return ""
        raise StripeError(
            f"You passed an empty string for '{path}'. We assume empty values are an attempt to unset "
            f"a parameter; however '{path}' cannot be unset. You should remove '{path}' from your "
            "request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=path,
        )
    scalars = [kind for kind in kinds if kind.name not in {"{}", "map", "list", '""'}]
    if not scalars:
        wanted = "array" if "list" in by_name else "object"
        raise StripeError(f"Invalid {wanted}", param=path)
    return _scalar(scalars[0], text, path)


def _nested(kinds: tuple[Kind, ...], value: JSON, path: str) -> object:
    for kind in kinds:
        if kind.name == "{}":
            return _object(kind.fields, value, path)
        if kind.name == "map":
            return {
                name: _value((*kind.element, Kind('""')), element, f"{path}[{name}]")
                for name, element in value.items()
            }
        if kind.name == "list" and all(name.isdecimal() for name in value):
            ordered = sorted(value.items(), key=lambda item: int(item[0]))
            return [_value(kind.element, element, f"{path}[{name}]") for name, element in ordered]
    raise StripeError(f"Invalid {_called(kinds)}", param=path)


def _called(kinds: tuple[Kind, ...]) -> str:
    name = kinds[0].name
    return {"list": "array", "one of": "string", "text": "string"}.get(name, name)


def _scalar(kind: Kind, text: str, path: str) -> object:
    match kind.name:
        case "integer" | "timestamp":
            if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
                message = f"Invalid integer: {text}"
                raise StripeError(message, code="parameter_invalid_integer", param=path)
            return int(text)
        case "number" | "decimal":
            if not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?", text):
                raise StripeError(f"Invalid decimal: {text}", param=path)
            return text if kind.name == "decimal" else float(text)
        case "boolean":
            if text not in {"true", "false"}:
                raise StripeError(f"Invalid boolean: {text}", param=path)
            return text == "true"
        case "currency":
            return _currency(text, path)
        case "one of":
            if text not in kind.words:
                raise StripeError(f"Invalid {path}: must be one of {_listed(kind.words)}", param=path)
    if kind.longest is not None and len(text) > kind.longest:
        shown = f"{text[:10]}...{text[-10:]}"
        message = f"Invalid string: {shown}; must be at most {kind.longest} characters"
        raise StripeError(message, param=path)
    return text


def _currency(text: str, path: str) -> str:
    code = text.lower()
    if code not in CURRENCIES:
        known = ", ".join(CURRENCIES)
        message = f"Invalid currency: {code}. Stripe currently supports these currencies: {known}"
        raise StripeError(message, param=path)
    return code


def _listed(options: tuple[str, ...]) -> str:
    return options[0] if len(options) == 1 else ", ".join(options[:-1]) + ", or " + options[-1]


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
