"""What is left out comes to no harm. `tests/cli/test_commands.py` checks which they are."""

import gc
import os
import sys
from importlib import import_module

import httpx
import pytest

from app.core.lean import LateModule, lean_imports


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


def test_imports_a_late_module_when_something_in_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "segno", raising=False)

    with lean_imports():
        segno = import_module("segno")
        assert isinstance(segno, LateModule)

    assert "segno" not in sys.modules
    assert segno.make_qr is import_module("segno").make_qr


def test_imports_a_late_module_at_once_for_who_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "segno", raising=False)

    with lean_imports():
        from segno import make_qr  # noqa: PLC0415

    assert make_qr is sys.modules["segno"].make_qr


def test_knows_a_coroutine_before_asyncio_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer() -> None: ...

    monkeypatch.delitem(sys.modules, "asyncio")
    coroutine = answer()

    with lean_imports():
        late = import_module("asyncio")
        assert late.iscoroutine(coroutine)
        assert not late.iscoroutine(answer)
        assert sys.modules["asyncio"] is late

    coroutine.close()


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


def test_names_a_time_zone_only_while_it_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TZ", raising=False)

    with lean_imports():
        with lean_imports():
            pass
        during = os.environ.get("TZ")

    assert during == "UTC"
    assert "TZ" not in os.environ


def test_leaves_a_time_zone_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    with lean_imports():
        assert os.environ["TZ"] == "Asia/Tokyo"

    assert os.environ["TZ"] == "Asia/Tokyo"
