"""Wake the workers of other processes when an event is stored, with PostgreSQL's LISTEN and NOTIFY.

This only saves time. Workers look for work each second anyway, so an announcement may be lost.
"""

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from random import SystemRandom
from typing import Any

import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from app.core import db

log = structlog.get_logger("gangway.worker")

CHANNEL = "gangway_work"
ANNOUNCEMENT_INTERVAL = 0.05  # seconds; many events within it need one announcement
RETRY_DELAY = 1.0  # seconds before the listener connects again; doubles up to the maximum
MAX_RETRY_DELAY = 30.0
STOP_TIMEOUT = 1.0
_random = SystemRandom()


class Announcer:
    """Tells workers elsewhere that there is work. For a process without a worker.

    A thread announces it after the commit, for many events at once. A NOTIFY in the transaction of each
    event would make all commits of the server wait for each other, which takes more than half of its rate
    (https://www.postgresql.org/docs/current/sql-notify.html).
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._is_started = False
        self._is_due = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def announce(self) -> None:
        """Announce work soon. Does not wait for it."""
        self._is_due.set()
        if not self._is_started:
            self._start()

    def stop(self) -> None:
        """Announce what is left, and end the thread."""
        self._stopping.set()
        self._is_due.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT)

    def _start(self) -> None:
        with self._lock:
            if not self._is_started and _has_notify(self._app):
                self._thread = threading.Thread(target=self._run, name="gangway-announcer", daemon=True)
                self._thread.start()
            self._is_started = True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._is_due.wait()
            self._is_due.clear()
            try:
                with self._app.app_context(), db.engine().connect() as connection:
                    connection.execute(sa.select(sa.func.pg_notify(CHANNEL, "")))
                    connection.commit()
            except SQLAlchemyError as error:
                log.warning("workers_not_woken", error=type(error).__name__)
            self._stopping.wait(ANNOUNCEMENT_INTERVAL)


class Listener:
    """Calls a function for each announcement, in a thread with its own connection to PostgreSQL.

    It connects again after any trouble. Behind a pooler such as PgBouncer it does not listen: there, the
    connection that was told to listen belongs to somebody else a moment later.
    """

    def __init__(self, app: Flask, on_announcement: Callable[[], None]) -> None:
        self._app = app
        self._on_announcement = on_announcement
        self._stopping = threading.Event()
        self._end: socket.socket | None = None  # closing it ends the wait for the database
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, if the database can announce anything."""
        if not _has_notify(self._app):
            return
        is_ended, self._end = socket.socketpair()
        self._thread = threading.Thread(
            target=self._run, args=[is_ended], name="gangway-listener", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread. It may outlive this call while it connects."""
        self._stopping.set()
        if self._end is not None and self._thread is not None:
            self._end.close()
            self._thread.join(STOP_TIMEOUT)

    def _run(self, is_ended: socket.socket) -> None:
        with is_ended:
            self._keep_listening(is_ended)

    def _keep_listening(self, is_ended: socket.socket) -> None:
        delay = RETRY_DELAY
        while not self._stopping.is_set():
            try:
                with closing(self._connect()) as connection:
                    if _is_pooled(connection):
                        log.info("listener_ends", reason="A pooler is in between, so the worker polls.")
                        return
                    connection.execute(f"LISTEN {CHANNEL}")
                    delay = RETRY_DELAY
                    self._listen(connection, is_ended)
            except Exception:  # the worker goes on without it meanwhile
                log.warning("listener_trouble", exc_info=True)
                self._stopping.wait(delay * _random.uniform(0.5, 1.0))
                delay = min(2 * delay, MAX_RETRY_DELAY)

    def _connect(self) -> Any:
        """Open a connection that is not in the pool, with everything that the URL says. It is psycopg's."""
        with self._app.app_context():
            pooled = db.engine().raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        connection.autocommit = True
        return connection

    def _listen(self, connection: Any, is_ended: socket.socket) -> None:
        """Pass on announcements until the worker stops. Raises the driver's error when the server goes."""
        self._on_announcement()  # of what came before
        with selectors.DefaultSelector() as selector:
            selector.register(connection.fileno(), selectors.EVENT_READ)
            selector.register(is_ended, selectors.EVENT_READ)
            while True:
                selector.select()
                if self._stopping.is_set():
                    return
                if list(connection.notifies(timeout=0)):
                    self._on_announcement()


def _has_notify(app: Flask) -> bool:
    with app.app_context():
        return db.engine().dialect.name == "postgresql"


def _is_pooled(connection: Any) -> bool:
    """Is there a pooler, which replaces the numbers of the server's processes?"""
    [pid] = connection.execute("SELECT pg_backend_pid()").fetchone()
    return bool(pid != connection.info.backend_pid)
