"""What an entry of the table says, and whether it still applies."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Mutant:
    """One change, and the test that must fail once it is made."""

    name: str
    file: str
    old: str  # occurs exactly once in the file
    new: str
    test: str  # a node id: path::function, or path::Class::function
    database: Literal["sqlite", "postgresql"] = "sqlite"

    def changed(self, text: str) -> str:
        """The file's text with the change made."""
        return text.replace(self.old, self.new)

    def problems(self, root: Path) -> Iterator[str]:
        """Say why this change can't be tried on the tree in a folder. Nothing is said of one that can."""
        source = root / self.file
        text = source.read_text() if source.is_file() else ""
        if text.count(self.old) != 1:
            yield f"{self.name}: its text occurs {text.count(self.old)} times in {self.file}"
            return
        if self.changed(text) == text:
            yield f"{self.name}: it changes nothing"
        try:
            compile(self.changed(text), self.file, "exec", dont_inherit=True)
        except SyntaxError as error:
            yield f"{self.name}: the changed file can't be read: {error}"
        if not self._has_test(root):
            yield f"{self.name}: there is no test {self.test}"

    def _has_test(self, root: Path) -> bool:
        path, _, name = self.test.partition("::")
        return name in _names_in(root / path)


@cache
def _names_in(file: Path) -> set[str]:
    """The functions of a module, those of its classes among them, as node ids name them."""
    return set(_functions(ast.parse(file.read_text()).body)) if file.is_file() else set()


def _functions(body: list[ast.stmt]) -> Iterator[str]:
    for part in body:
        if isinstance(part, ast.FunctionDef):
            yield part.name
        elif isinstance(part, ast.ClassDef):
            yield from (f"{part.name}::{name}" for name in _functions(part.body))
