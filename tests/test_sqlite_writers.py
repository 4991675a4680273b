"""On SQLite one connection writes at a time. Those that wait go on soon, also after another process."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import OperationalError

from app.audit import Entry
from app.core import db
from app.core.database.direct import DirectStatement
from tests.support.processes import PATIENCE, wait_until
from tests.support.rows import Rows

BEGIN = "BEGIN IMMEDIATE"

Write = Callable[[Flask], None]


@pytest.fixture(autouse=True)
def _on_sqlite(database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("PostgreSQL locks rows, not the file")


@pytest.fixture
def other(bare_app: Flask, database_url: str) -> Iterator[sqlite3.Connection]:
    """Another process."""
    made = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)
    with closing(made):
        yield made


@pytest.fixture
def begun(bare_app: Flask) -> list[str]:
    """Each time that a connection of the application tries to begin to write."""
    tries: list[str] = []
    with bare_app.app_context():
        engine = db.engine()

    def trace(made: sqlite3.Connection, _record: object) -> None:
        made.set_trace_callback(lambda sent: tries.append(sent) if sent == BEGIN else None)

    sa.event.listen(engine, "connect", trace)
    engine.dispose()
    return tries


def written(rows: Rows) -> int:
    """How many of the entries below are there?"""
    return len([entry for entry in rows(Entry) if entry.kind == "queue"])


def write(app: Flask) -> None:
    """Write by the session."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        session.add(Entry(kind="queue", actor="test", facts={}))
        session.commit()


def write_directly(app: Flask) -> None:
    """Write by the driver."""
    now: sa.ColumnElement[str] = sa.literal_column("'2026-01-01 00:00:00'")
    values = {"id": sa.literal_column("'direct'"), "kind": sa.literal_column("'queue'"), "at": now}
    values |= {"actor": sa.literal_column("'test'"), "facts": sa.literal_column("'{}'")}
    with app.app_context():
        DirectStatement(sa.insert(Entry).values(values).returning(Entry.id)).rows(db.engine(), {})


@pytest.mark.parametrize("how", [write, write_directly])
def test_look_again_and_again_while_another_process_writes(
    how: Write, bare_app: Flask, other: sqlite3.Connection, begun: list[str], rows: Rows
) -> None:
    """SQLite itself would sleep up to a tenth of a second between its tries."""
    other.execute(BEGIN)
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(how, bare_app)
        wait_until(lambda: len(begun) > 20 or writing.done())
        assert not writing.done()
        other.execute("COMMIT")
        writing.result(PATIENCE)

    assert written(rows) == 1


@pytest.mark.parametrize("how", [write, write_directly])
def test_give_up_after_a_while_and_hold_up_nobody(
    how: Write, bare_app: Flask, other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    monkeypatch.setattr("app.core.database.sqlite.BUSY_TIMEOUT", 0.01)
    other.execute(BEGIN)

    with pytest.raises((sqlite3.OperationalError, OperationalError), match="locked"):
        how(bare_app)

    other.execute("COMMIT")
    monkeypatch.undo()
    write(bare_app)
    assert written(rows) == 1


@pytest.mark.parametrize("how", [write, write_directly])
def test_let_sqlite_wait_for_all_else(how: Write, bare_app: Flask) -> None:
    how(bare_app)

    with bare_app.app_context(), db.engine().connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 15_000


def test_of_one_process_queue(bare_app: Flask, begun: list[str], rows: Rows) -> None:
    together = threading.Barrier(8)

    def write_often() -> None:
        together.wait(PATIENCE)
        for _ in range(20):
            write(bare_app)

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(write_often) for _ in range(8)]:
            future.result(PATIENCE)

    assert written(rows) == 160
    # None began before its turn, and had to try again. A connection that is opened may hold up one or two.
    assert len(begun) < 240


def test_a_direct_statement_that_fails_holds_up_nobody(bare_app: Flask, rows: Rows) -> None:
    write_directly(bare_app)

    with pytest.raises(sqlite3.IntegrityError):
        write_directly(bare_app)

    write(bare_app)
    assert written(rows) == 2
