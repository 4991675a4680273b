"""Wake the worker when somebody else has committed to the SQLite file, where nobody can be told anything.

This only saves time. Workers look for work each second anyway, so a commit may be overlooked.
"""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing

import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.core import db

log = structlog.get_logger("gangway.worker")

WATCH_INTERVAL = 0.1  # seconds from one look to the next; a look takes a few microseconds
RETRY_DELAY = 30.0  # seconds before it connects again
STOP_TIMEOUT = 1.0


class Watch:
    """Calls a function after commits of other connections, in a thread with its own connection to the file.

    `PRAGMA data_version` tells one connection whether another has committed, in this process or elsewhere.
    The time of the `-wal` file would not do: SQLite writes it before others can see the commit.
    Source: https://www.sqlite.org/pragma.html#pragma_data_version
    """

    def __init__(self, app: Flask, on_commit: Callable[[], None]) -> None:
        self._app = app
        self._on_commit = on_commit
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, if the database is a file."""
        with self._app.app_context():
            if db.sqlite_file(db.engine().url) is None:
                return
        self._thread = threading.Thread(target=self._run, name="gangway-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    self._watch(connection)
            except (SQLAlchemyError, sqlite3.Error):  # the worker goes on without it meanwhile
                log.warning("watch_trouble", exc_info=True)
                self._stopping.wait(RETRY_DELAY)

    def _connect(self) -> sqlite3.Connection:
        """Open a connection that is not in the pool."""
        with self._app.app_context():
            pooled = db.engine().raw_connection()
        connection = pooled.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        pooled.detach()
        return connection

    def _watch(self, connection: sqlite3.Connection) -> None:
        """Tell of commits until the worker stops. Raises the driver's error when the file can't be read."""
        seen = None  # so it also reports what came before
        while True:
            version = connection.execute("PRAGMA data_version").fetchall()
            if version != seen:
                seen = version
                self._on_commit()
            if self._stopping.wait(WATCH_INTERVAL):
                return
