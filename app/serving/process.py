"""A web process: its main loop receives requests and sends what slow clients leave of an answer."""

import errno
import resource
import selectors
import socket
import time
from contextlib import suppress
from functools import partial
from threading import Thread
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.workers.gthread import ThreadWorker

from app.serving import refusals
from app.serving.connection import Connection, Outbox, Stage

HEADER_TIMEOUT = 15.0  # seconds for all of a header
BODY_TIMEOUT = 30.0  # seconds for all of a body
KEEPALIVE = 75  # seconds; longer than the 60 of the usual load balancers, so that they close first
STOP_KEEPALIVE = 2.0  # seconds that a process which stops leaves its clients for one more request
SEND_TIMEOUT = 60.0  # seconds for the rest of an answer
LINGER_TIMEOUT = 5.0  # seconds for a client to read an answer before the end of its request
SWEEP_INTERVAL = 1.0  # seconds
MAX_CONNECTIONS = 8192  # of one process
SPARE_FILES = 256  # for the database, Stripe and the program itself


class Process(ThreadWorker):
    """A web process. Its worker stops beside its requests: gunicorn's own hook comes only after them.

    The main loop receives requests and sends what slow clients leave of an answer, each within a deadline.
    Threads only answer whole requests.
    """

    wsgi: Flask | None = None  # type: ignore[assignment]  # until the application is loaded
    _stopper: Thread | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: dict[Connection, None] = {}  # those in the poller; each has a deadline
        self._swept_at = 0.0
        self.worker_connections = min(MAX_CONNECTIONS, _open_files() - SPARE_FILES)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM has come."""
        if self.alive:
            # Not at once: the signal may have come while a thread is started, and then none can be.
            self.method_queue.defer(self.stop_worker)
        super().handle_exit(sig, frame)

    def stop_worker(self) -> Thread:
        """Begin to stop the worker, unless that has begun. The thread does it while requests are answered."""
        if self._stopper is None:
            assert self.wsgi is not None
            self._stopper = Thread(target=self.wsgi.extensions["gangway.worker"].stop, name="gangway-stopper")
            self._stopper.start()
        return self._stopper

    def accept(self, listener: socket.socket) -> None:
        """Take a connection, and wait for its first request."""
        try:
            sock, client = listener.accept()
        except OSError as error:
            if error.errno in {errno.EMFILE, errno.ENFILE}:
                self._close_oldest()
            elif error.errno not in {errno.EAGAIN, errno.ECONNABORTED}:
                raise
            return
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._close_oldest()
        connection = Connection(self.cfg, sock, client, listener.getsockname())
        self._wait(connection, selectors.EVENT_READ, HEADER_TIMEOUT)

    def finish_request(self, connection: Connection, future: Any) -> None:  # type: ignore[override]
        """Go on with a connection that a thread has answered."""
        failed = future.cancelled() or future.exception() is not None or connection.sock.is_closed
        if failed:
            self._close(connection)
            return
        connection.keep = bool(future.result()) and connection.is_whole
        if connection.sock.unsent:
            connection.stage = Stage.SEND
            self._wait(connection, selectors.EVENT_WRITE, SEND_TIMEOUT)
        else:
            self._end_answer(connection)

    def handle(self, connection: Connection) -> bool:  # type: ignore[override]  # accept makes no other
        """Answer a request, in a thread."""
        if connection.has_long_header:
            self._refuse(connection.sock, 431 if b"\r\n" in connection.sock.request else 414)
            keep = False
        else:
            keep = bool(super().handle(connection))
        with suppress(OSError):  # the main loop notices that the client has gone
            connection.sock.flush()
        return keep

    def handle_request(self, req: Any, conn: Connection) -> bool:  # type: ignore[override]  # accept makes no other
        """Answer a request. The answer says so when the connection closes after it.

        A proxy that does not know it sends the next request there, which is another person's.
        """
        if not conn.is_whole:
            req.force_close()
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:  # noqa: FBT001 (gunicorn calls it so)
        """Stay open also after a long body that nobody has read: all of it is here, and nothing waits."""
        return keepalive and bool(conn.parser.finish_body())

    def handle_error(self, _req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what gunicorn cannot read in the application's own words and look."""
        status = refusals.status_of(exc)
        if status == 500:
            self.log.error("Error handling a request", exc_info=exc)
        else:
            self.log.warning("Invalid request from ip=%s: %s", addr[0] if addr else "", exc)
        if not client.has_answer:  # else the rest of the body was bad, after the answer
            self._refuse(client, status)

    def _refuse(self, client: Outbox, status: int) -> None:
        assert self.wsgi is not None
        client.sendall(refusals.refuse(self.wsgi, client.request, status))

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 (gunicorn calls it so)
        """Close what has passed its deadline; once a second is enough."""
        now = time.monotonic()
        if now < self._swept_at + SWEEP_INTERVAL and not force:
            return
        self._swept_at = now
        for connection in [one for one in self._waiting if force or one.timeout <= now]:
            self._stop_waiting(connection)
            self._close(connection)

    def _cap_keepalive(self, deadline: float) -> None:
        """Stop: a client that has begun no request has until then to begin one."""
        for connection in self._waiting:
            if connection.stage is Stage.IDLE:
                connection.timeout = min(connection.timeout, deadline)

    def _wait(self, connection: Connection, events: int, seconds: float) -> None:
        connection.timeout = time.monotonic() + seconds
        self._waiting[connection] = None
        self.poller.register(connection.socket, events, partial(self._go_on, connection))

    def _stop_waiting(self, connection: Connection) -> None:
        del self._waiting[connection]
        self.poller.unregister(connection.socket)

    def _go_on(self, connection: Connection, _socket: socket.socket) -> None:
        """Go on with a connection that has something to read, or takes more of its answer."""
        if connection not in self._waiting:
            return  # closed for another one, in this very round
        if connection.stage is Stage.SEND:
            self._send_rest(connection)
        elif not connection.receive():
            self._stop_waiting(connection)
            self._close(connection)
        elif connection.stage is not Stage.LINGER:
            self._look(connection)

    def _look(self, connection: Connection) -> None:
        stage = connection.stage
        if connection.advance():
            self._stop_waiting(connection)
            self.enqueue_req(connection)
        elif stage is not connection.stage:
            seconds = HEADER_TIMEOUT if connection.stage is Stage.HEADER else BODY_TIMEOUT
            connection.timeout = time.monotonic() + seconds

    def _send_rest(self, connection: Connection) -> None:
        try:
            connection.sock.flush()
        except OSError:
            self._stop_waiting(connection)
            self._close(connection)
            return
        if not connection.sock.unsent:
            self._stop_waiting(connection)
            self._end_answer(connection)

    def _end_answer(self, connection: Connection) -> None:
        if connection.keep:
            connection.begin_next()
            if connection.has_more and connection.advance():
                self.enqueue_req(connection)
            else:
                seconds = KEEPALIVE if connection.stage is Stage.IDLE else HEADER_TIMEOUT
                self._wait(
                    connection, selectors.EVENT_READ, seconds if self.alive else min(seconds, STOP_KEEPALIVE)
                )
        elif connection.is_whole:
            self._close(connection)
        else:  # closing at once would take the answer from a client that still sends: RFC 9112 section 9.6
            connection.stage = Stage.LINGER
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)
            self._wait(connection, selectors.EVENT_READ, LINGER_TIMEOUT)

    def _close(self, connection: Connection) -> None:
        self.nr_conns -= 1
        with suppress(OSError):
            connection.socket.close()

    def _close_oldest(self) -> None:
        """Make room: the connection that is nearest to its deadline goes."""
        if self._waiting:
            oldest = min(self._waiting, key=lambda connection: connection.timeout)
            self._stop_waiting(oldest)
            self._close(oldest)


def _open_files() -> int:
    """Raise the limit of open files as far as we may and need, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_CONNECTIONS + SPARE_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    wanted = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    with suppress(ValueError, OSError):  # macOS has its own lower limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return soft
