"""Connections to PostgreSQL that outlive the engine which opened them.

Each application of the tests has its own engine, for which a server would start one process after another.
A process that has just started knows no table yet, so its first statement about each takes much longer.
"""

from collections.abc import Callable, Generator
from threading import Lock
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.pq import ExecStatus, TransactionStatus

MAX_IDLE = 6  # connections, of one process of the tests
# Ends what a session has set, taken, made or asked for. DISCARD ALL would lose the foreign keys' plans too.
_RENEW = (
    "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; DEALLOCATE ALL; UNLISTEN *;"
    "SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)

Address = tuple[Any, ...]


class LastingConnection(psycopg.Connection[Any]):
    """A connection that goes back where it came from when an engine closes it.

    One that has waited for notices does not: it may have heard some that nobody has read.
    """

    address: Address = ()
    put_back: "Callable[[LastingConnection], bool] | None" = None

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._heard_by: list[Any] = []
        self._has_listened = False

    def add_notice_handler(self, callback: Any) -> None:
        """Add what hears the server's warnings, unless an earlier engine has done so."""
        if callback not in self._heard_by:
            self._heard_by.append(callback)
            super().add_notice_handler(callback)

    def add_notify_handler(self, callback: Any) -> None:
        """Add it; this connection will not last."""
        self._has_listened = True
        super().add_notify_handler(callback)

    def notifies(self, *given: Any, **named: Any) -> Generator[psycopg.Notify, None, None]:
        """Give the notices; this connection will not last."""
        self._has_listened = True
        return super().notifies(*given, **named)

    def close(self) -> None:
        """Let the next engine have it, or close it."""
        if self.closed or self._has_listened or self.put_back is None or not self.put_back(self):
            self.end()

    def end(self) -> None:
        """Close it."""
        super().close()


class LastingConnections:
    """The idle connections of this process of the tests, the one that was used last at the end."""

    def __init__(self) -> None:
        self._idle: list[LastingConnection] = []
        self._lock = Lock()

    def lend_to(self, engine: sa.Engine) -> None:
        """Let an engine take idle connections instead of opening others."""

        @sa.event.listens_for(engine, "do_connect")
        def _connect(_dialect: Any, _record: Any, positional: list[Any], named: dict[str, Any]) -> Any:
            return self._take(positional, named)

    def close(self) -> None:
        """End all idle connections."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.end()

    @property
    def pids(self) -> list[int]:
        """The server's processes for the idle connections."""
        with self._lock:
            return [connection.info.backend_pid for connection in self._idle]

    def _take(self, positional: list[Any], named: dict[str, Any]) -> LastingConnection:
        address = _address(positional, named)
        while (found := self._pop(address)) is not None:
            if _is_alive(found):
                return found
            found.end()
        made = LastingConnection.connect(*positional, **named)
        made.address, made.put_back = address, self._put_back
        return made

    def _pop(self, address: Address) -> LastingConnection | None:
        with self._lock:
            found = next((one for one in reversed(self._idle) if one.address == address), None)
            if found is not None:
                self._idle.remove(found)
            return found

    def _put_back(self, connection: LastingConnection) -> bool:
        """Keep it for the next engine, and end the one that was idle longest; False when it is of no use."""
        if connection.pgconn.transaction_status == TransactionStatus.ACTIVE or not _renewed(connection):
            return False
        with self._lock:
            if connection not in self._idle:
                self._idle.append(connection)
            ended = self._idle.pop(0) if len(self._idle) > MAX_IDLE else None
        if ended is not None:
            ended.end()
        return True


def _address(positional: list[Any], named: dict[str, Any]) -> Address:
    """Where a connection leads, and how. Each engine has its own `context` of types, but all are alike."""
    return (*positional, *sorted((name, value) for name, value in named.items() if name != "context"))


def _renewed(connection: LastingConnection) -> bool:
    """Take away what was done in it; False when it is broken."""
    try:
        connection.rollback()
        connection.set_autocommit(True)
        connection.execute(_RENEW)
        connection.set_autocommit(False)
    except psycopg.Error:
        return False
    return True


def _is_alive(connection: LastingConnection) -> bool:
    """Has the server not ended it meanwhile? It must answer to know."""
    return connection.pgconn.exec_(b"").status == ExecStatus.EMPTY_QUERY
