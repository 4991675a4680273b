"""The engines of the tests' many applications: what they need not do each for itself, or at all."""

import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.pool import ConnectionPoolEntry

from app.core import db
from tests.support.lasting import LastingConnections


class ServerConnections:
    """The connections to a server that the tests of this process have opened, from whichever engine.

    A thread may give one back after its engine was disposed of, or a test may forget its engine. Such a
    connection would warn when it is collected, which fails whichever test runs then. So each is held here
    until it is closed.
    """

    def __init__(self) -> None:
        self._open: list[ConnectionPoolEntry] = []

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Note each connection that a pool opens."""
        sa.event.listen(sa.Pool, "connect", self._note)
        try:
            yield
        finally:
            sa.event.remove(sa.Pool, "connect", self._note)

    def close_idle(self) -> None:
        """Close those that nobody uses. A pool that still lives opens another when it needs one."""
        used = [record for record in self._open if record.in_use]
        for record in self._open:
            if not record.in_use:
                record.invalidate()
        self._open = used

    def _note(self, connection: Any, record: ConnectionPoolEntry) -> None:
        if hasattr(connection, "pgconn"):
            self._open.append(record)


def hasten(app: Flask, *, like: sa.Engine, lasting: LastingConnections | None = None) -> None:
    """Let an application share what another engine has compiled, and not wait for the disk.

    SQLAlchemy keeps compiled statements for each engine, and each application of the tests has its own. To
    compile them again would take a third of a test's time. Nobody pulls the plug in these tests, so an
    SQLite file need not reach the disk. (PostgreSQL's server gets the same setting.) On PostgreSQL the engine
    takes `lasting` connections.
    """
    with app.app_context():
        engine = db.engine()
    if lasting is not None and engine.dialect.name == "postgresql":
        lasting.lend_to(engine)  # before another dialect takes the place of the one that it listens to
        engine.dialect.do_ping = partial(_ping, engine.dialect.do_ping)  # type: ignore[method-assign]
    if engine.dialect.name == like.dialect.name:
        engine.dialect = like.dialect
        engine._compiled_cache = like._compiled_cache
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _trust_the_power)


def _ping(ask: Callable[[Any], bool], connection: Any) -> bool:
    """Ask a server whether it still serves a connection, but only when it has said something unasked.

    It does so when it ends one, and nobody cuts the wire to the server of the tests. To ask each time takes
    a twelfth of the time on PostgreSQL.
    """
    if connection.closed:
        return ask(connection)
    heard = select.poll()
    heard.register(connection.fileno(), select.POLLIN)
    return ask(connection) if heard.poll(0) else True


def _trust_the_power(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
