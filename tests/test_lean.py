"""What is left out comes to no harm. `tests/cli/test_commands.py` checks which they are."""

import gc
import sys
from importlib import import_module

import httpx

from app.core.lean import lean_imports


def test_lets_others_import_them_afterwards() -> None:
    with lean_imports():
        pass

    assert import_module("limits.aio.storage").MemoryStorage
    assert import_module("rich.console").Console


def test_leaves_alone_what_is_imported_already() -> None:
    with lean_imports():
        during = sys.modules["httpx"]

    assert during is httpx
    assert sys.modules["httpx"] is httpx


def test_collects_garbage_afterwards_as_before() -> None:
    with lean_imports():
        assert not gc.isenabled()
        with lean_imports():
            assert not gc.isenabled()
        assert not gc.isenabled()

    assert gc.isenabled()


def test_keeps_what_was_imported_from_later_collections() -> None:
    with lean_imports():
        imported = ["a module"]

    assert not any(found is imported for found in gc.get_objects())
