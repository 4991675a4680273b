"""Trying a change: a copy of the tree, one changed file, and the tests that are run there."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.mutant import Mutant

ROOT = Path(__file__).parents[2]
FOLDERS = ("app", "static", "templates", "tests")
WARM = Path(__file__).with_name("warm.py")
OPTIONS = [
    *("-x", "--quiet", "--tb=short", "--numprocesses=0", "-m", ""),
    *("-p", "no:cacheprovider", "-p", "no:randomly", "-W", "ignore::pytest.PytestAssertRewriteWarning"),
]
# How this process was called is no matter of the tests in the copy, and compiled modules save them seconds.
OURS = ("COV", "PYTEST", "GANGWAY_", "PYTHONDONTWRITEBYTECODE")
RETENTION = {"GANGWAY_TEST_POSTGRES"}


@dataclass(frozen=True)
class Ended:
    """How a run of pytest ended."""

    code: int  # 0: all passed, 1: some failed; others: it could not run
    said: str


class Copy:
    """A copy of the tree with one changed file at a time, and a process that runs tests in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._output = root / "output.txt"
        for folder in FOLDERS:
            shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", root)
        environ = {
            name: value
            for name, value in os.environ.items()
            if name in RETENTION or not name.startswith(OURS)
        }
        self._warm = subprocess.Popen(
            [sys.executable, WARM],
            cwd=root,
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        self._warm.communicate()

    def run(self, *tests: str, database: str = "sqlite") -> Ended:
        """Run some tests."""
        assert self._warm.stdin is not None
        assert self._warm.stdout is not None
        folder = self._root / "temporary"  # pytest empties it; else it would clear away what others left
        options = [*OPTIONS, "--basetemp", str(folder), "--database", database]
        asked = [[*options, *tests], str(self._output)]
        self._warm.stdin.write(f"{json.dumps(asked)}\n")
        self._warm.stdin.flush()
        code = self._warm.stdout.readline()
        assert code, "the process that runs the tests has ended"
        return Ended(int(code), self._output.read_text(errors="replace"))

    @contextmanager
    def changed(self, mutant: Mutant) -> Iterator[None]:
        """Make a change for a while."""
        file = self._root / mutant.file
        text = file.read_text()
        _write(file, mutant.changed(text))
        try:
            yield
        finally:
            _write(file, text)


def _write(file: Path, text: str) -> None:
    """Write a module. Python would take its compiled form for current when size and second are the same."""
    file.write_text(text)
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
