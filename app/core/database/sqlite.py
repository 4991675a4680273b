"""SQLite, set up for durability: real transactions, foreign keys, durable WAL, one writer at a time."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from app.core import files
from app.core.database.errors import why_not_opened

BUSY_TIMEOUT = 15  # seconds that a writer waits for the others
BEGIN_WRITE = "BEGIN IMMEDIATE"
RETRY_INTERVAL = 0.0005  # seconds from one try to begin, while another process writes, to the next
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",  # NORMAL may lose the last commits on power loss, and with them events
    "foreign_keys=ON",
    f"busy_timeout={BUSY_TIMEOUT * 1000}",
)


class Connection(sqlite3.Connection):
    """A connection that, while it writes, lets the other writers of this process wait at a lock.

    SQLite lets one connection write at a time. A waiting one sleeps and tries again, longer and longer, up to
    a tenth of a second. Of sixteen threads some would wait for seconds. A thread that waits at a lock
    continues at once. The one that has the lock tries again every half millisecond while another process
    writes.
    """

    turn: threading.Lock
    _has_turn = False

    def begin_write(self, begin: Callable[[], object]) -> None:
        """Begin a transaction that writes, as soon as no other thread and no other process does.

        When that takes too long or fails, call `begin`, which tries a last time and reports SQLite's error.
        """
        give_up = time.monotonic() + BUSY_TIMEOUT
        self._has_turn = self.turn.acquire(timeout=BUSY_TIMEOUT)
        try:
            self.execute("PRAGMA busy_timeout=0")
            try:
                if not self._begin_until(give_up):
                    begin()
            finally:
                self.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT * 1000}")
        except BaseException:
            self.end_turn()
            raise

    def _begin_until(self, give_up: float) -> bool:
        while True:
            try:
                self.execute(BEGIN_WRITE)
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or time.monotonic() > give_up:
                    return False
                time.sleep(RETRY_INTERVAL)
            else:
                return True

    def end_turn(self) -> None:
        """Let the next one write, if it was this one's turn."""
        if self._has_turn:
            self._has_turn = False
            self.turn.release()

    def commit(self) -> None:
        """Commit. When that fails, it is still to be rolled back."""
        super().commit()
        self.end_turn()

    def rollback(self) -> None:
        """Roll back."""
        try:
            super().rollback()
        finally:
            self.end_turn()

    def close(self) -> None:
        """Close, and with that roll back."""
        try:
            super().close()
        finally:
            self.end_turn()


def configure(engine: sa.Engine) -> None:
    """Prepare every connection of an engine that makes `Connection`s."""
    turn = threading.Lock()

    @event.listens_for(engine, "do_connect")
    def _connect(
        dialect: sa.Dialect, _record: object, arguments: list[Any], options: dict[str, Any]
    ) -> DBAPIConnection:
        name = str(arguments[0]) if arguments else ""
        create_for_owner(name)
        try:
            return dialect.connect(*arguments, **options)
        except sqlite3.OperationalError as error:
            error.add_note(why_not_opened(Path(name).absolute()))
            raise

    @event.listens_for(engine, "connect")
    def _connected(connection: DBAPIConnection, _record: object) -> None:
        assert isinstance(connection, Connection)
        connection.turn = turn
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        # SQLite's own knows the letters of English only.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begun(connection: sa.Connection) -> None:
        if not connection.get_execution_options().get("writes"):
            connection.exec_driver_sql("BEGIN")
            return
        own = connection.connection.dbapi_connection
        assert isinstance(own, Connection)
        own.begin_write(lambda: connection.exec_driver_sql(BEGIN_WRITE))


def create_for_owner(name: str) -> None:
    """Create the file of a database that is not there yet, so that its owner alone can read it.

    SQLite would follow the umask. Its `-wal` and `-shm` get the permissions of the database.
    """
    if not name or name == ":memory:" or name.startswith("file:"):
        return
    with suppress(OSError):  # it is there, or can't be: SQLite says which
        os.close(files.create(Path(name)))


def _lower(text: str | float | bytes | None) -> str | float | bytes | None:
    return text.lower() if isinstance(text, str) else text
