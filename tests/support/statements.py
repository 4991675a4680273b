"""Count what an application asks of its database, and let a connection die."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core import db

UNCOUNTED = (
    "BEGIN",  # SQLite's is sent as a statement
    "SELECT (SELECT portal_version.id",  # once in a while by the clock, whatever is asked meanwhile
)


@dataclass
class Statements:
    """The statements that were sent, without those that begin or end a transaction, and the commits."""

    sent: list[str] = field(default_factory=list)
    commits: int = 0

    def __str__(self) -> str:
        return "\n".join([f"{len(self.sent)} statements, {self.commits} commits", *self.sent])


def end_pooled_connection(app: Flask) -> None:
    """Let the connection die that the application uses next."""
    with app.app_context():
        pooled: Any = db.engine().raw_connection()
        dead = pooled.dbapi_connection
        pooled.close()  # it waits in the pool, where it is the next one to be used
        getattr(dead, "end", dead.close)()  # one that lasts would only go to the next engine


@contextmanager
def counted(app: Flask) -> Iterator[Statements]:
    """Count everything that the application's engine sends meanwhile."""
    seen = Statements()
    with app.app_context():
        engine = db.engine()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(UNCOUNTED):
            seen.sent.append(" ".join(statement.split())[:160])

    def note_commit(_connection: Any) -> None:
        seen.commits += 1

    sa.event.listen(engine, "before_cursor_execute", note)
    sa.event.listen(engine, "commit", note_commit)
    try:
        yield seen
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)
        sa.event.remove(engine, "commit", note_commit)


@contextmanager
def pool_use(app: Flask) -> Iterator[dict[str, int]]:
    """Count the connections that are taken from the pool, and the statements of SQLAlchemy."""
    found = {"connections": 0, "statements": 0}

    def count(what: str) -> Callable[..., None]:
        def note(*_: object) -> None:
            found[what] += 1

        return note

    with app.app_context():
        engine = db.engine()
    listeners = [("checkout", count("connections")), ("before_cursor_execute", count("statements"))]
    for name, listener in listeners:
        sa.event.listen(engine, name, listener)
    yield found
    for name, listener in listeners:
        sa.event.remove(engine, name, listener)
