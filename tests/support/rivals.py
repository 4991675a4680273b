"""Somebody else who is quicker: writes after we have looked, and just before we write."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core import db


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
