"""Somebody else who is quicker: writes after we have looked, and before we write."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app.core import db
from tests.support.processes import PATIENCE, wait_until

Answer = TypeVar("Answer")
WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@contextmanager
def comes_first(app: Flask, before: str, *writes: sa.Executable, skip: int = 0) -> Iterator[None]:
    """Let a rival's writes happen once, just before the first statement that begins with `before`.

    So many such statements pass before that.

    On PostgreSQL the rival has another connection and commits. SQLite has one writer at a time, so there
    the rival's rows come into our own transaction, which meets the same unique index.
    """
    waiting, passing = list(writes), iter(range(skip))

    def _about_to(connection: sa.Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if not waiting or not statement.startswith(before) or next(passing, None) is not None:
            return
        theirs, waiting[:] = list(waiting), []
        if connection.dialect.name == "sqlite":
            for write in theirs:
                connection.execute(write)
            return
        with connection.engine.begin() as own:
            for write in theirs:
                own.execute(write)

    with app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "before_cursor_execute", _about_to)
    try:
        yield
    finally:
        sa.event.remove(engine, "before_cursor_execute", _about_to)
    assert not waiting, f"nothing began with {before}"


def commits_meanwhile(app: Flask, change: Callable[[Session], object], act: Callable[[], Answer]) -> Answer:
    """Return what comes of an act that begins between a change and its commit.

    So the act may read what was there before, and must write as if it had come after.
    """
    with app.app_context(), ThreadPoolExecutor(1) as pool:
        engine, session = db.engine(), db.session()
        db.start_write(session)
        change(session)
        session.flush()
        wants_to_write = threading.Event()

        def _note(_connection: sa.Connection, options: dict[str, Any]) -> None:
            if options.get("writes"):
                wants_to_write.set()

        def _waits() -> bool:
            if engine.dialect.name == "sqlite":  # has one writer at a time
                return wants_to_write.is_set()
            with engine.connect() as other:
                return bool(other.execute(WAITING).scalar_one())

        sa.event.listen(engine, "set_connection_execution_options", _note)  # before it waits for its turn
        try:
            acting = pool.submit(act)
            wait_until(lambda: acting.done() or _waits())
            session.commit()
            return acting.result(PATIENCE)
        finally:
            sa.event.remove(engine, "set_connection_execution_options", _note)


def meet_before(app: Flask, before: str, *acts: Callable[[], Answer]) -> list[Answer]:
    """Return what comes of acts at once: each stops before its first statement that begins with `before`.

    It goes on when each other one has stopped there, waits for a lock, or is done. So all that get so far are
    there at the same moment. SQLite has one writer at a time, so nobody stops there.
    """
    stopped: set[int] = set()
    with app.app_context(), ThreadPoolExecutor(len(acts)) as pool:
        engine = db.engine()
        futures: list[Future[Answer]] = []

        def _waiting() -> int:
            with engine.connect() as other:
                return int(other.execute(WAITING).scalar_one())

        def _all_met() -> bool:
            done = sum(future.done() for future in futures)
            return len(futures) == len(acts) and len(stopped) + done + _waiting() >= len(acts)

        def _about_to(connection: sa.Connection, _cursor: Any, statement: str, *_more: Any) -> None:
            if connection.dialect.name == "sqlite" or threading.get_ident() in stopped:
                return
            if statement.startswith(before):
                stopped.add(threading.get_ident())
                wait_until(_all_met)

        sa.event.listen(engine, "before_cursor_execute", _about_to)
        try:
            futures += [pool.submit(act) for act in acts]
            return [future.result(PATIENCE) for future in futures]
        finally:
            sa.event.remove(engine, "before_cursor_execute", _about_to)
