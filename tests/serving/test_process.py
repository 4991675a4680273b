"""A web process closes what must go, and never lets one client take the place of the others."""

import errno
import os
import resource
import selectors
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.glogging import Logger

from app.serving.connection import Connection
from app.serving.process import MAX_CONNECTIONS, SPARE_FILES, Process, _open_files

GET = b"GET /signup HTTP/1.1\r\nHost: example.com\r\n\r\n"
Serve = Callable[[Connection], bool]


class Serving(Process):
    """A process that no arbiter has started. `answer` takes the place of the application."""

    def __init__(self, listener: socket.socket, threads: ThreadPoolExecutor) -> None:
        config = Config()
        super().__init__(0, os.getpid(), [listener], None, 30, config, Logger(config))
        self.poller = selectors.DefaultSelector()
        self.tpool = threads
        self.listener = listener
        self.answer: Serve = lambda _: False

    def handle(self, connection: Connection) -> bool:  # type: ignore[override]
        """Answer a request."""
        return self.answer(connection)

    def enqueue_req(self, connection: Connection) -> None:  # type: ignore[override]  # accept makes no other
        """Answer at once, in the thread of the test."""
        answered: Future[bool] = Future()
        try:
            answered.set_result(self.handle(connection))
        except ValueError as error:
            answered.set_exception(error)
        self.finish_request(connection, answered)

    def turn(self, patience: float = 10) -> None:
        """Go on with each connection that has something to read, or takes more."""
        for key, _ in self.poller.select(patience):
            key.data(key.fileobj)


class BrokenListener:
    """A listener that can't give a connection."""

    def __init__(self, number: int) -> None:
        self._number = number

    def accept(self) -> Any:
        """Fail."""
        raise OSError(self._number, os.strerror(self._number))


@pytest.fixture
def process() -> Iterator[Serving]:
    """A process that listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener, ThreadPoolExecutor(1) as threads:
        listener.settimeout(0)
        made = Serving(listener, threads)
        yield made
        made.murder_keepalived(force=True)
        made.poller.close()
        made.tmp.close()


@pytest.fixture
def connect(process: Serving) -> Iterator[Callable[[], socket.socket]]:
    """Connect a client, and let the process take it."""
    clients: list[socket.socket] = []

    def connected() -> socket.socket:
        clients.append(socket.create_connection(process.listener.getsockname(), 10))
        process.accept(process.listener)
        return clients[-1]

    yield connected
    for client in clients:
        client.close()


Connect = Callable[[], socket.socket]


def test_closes_the_connection_nearest_to_its_deadline_to_make_room(
    process: Serving, connect: Connect
) -> None:
    process.worker_connections = 2

    first, _ = connect(), connect()

    assert first.recv(1) == b""
    assert process.nr_conns == 1


@pytest.mark.parametrize(("number", "left"), [(errno.EMFILE, 0), (errno.ECONNABORTED, 1)])
def test_makes_room_when_no_more_files_can_be_opened(
    process: Serving, connect: Connect, number: int, left: int
) -> None:
    connect()

    process.accept(BrokenListener(number))  # type: ignore[arg-type]

    assert process.nr_conns == left


def test_takes_nothing_when_another_process_was_quicker(process: Serving) -> None:
    process.accept(process.listener)  # nobody waits any longer

    assert process.nr_conns == 0


def test_says_when_listening_itself_fails(process: Serving) -> None:
    with pytest.raises(OSError, match="Bad file"):
        process.accept(BrokenListener(errno.EBADF))  # type: ignore[arg-type]


def test_sends_the_rest_of_an_answer_as_the_client_reads_it(process: Serving, connect: Connect) -> None:
    def answer(connection: Connection) -> bool:
        connection.sock.unsent += b"a" * 8_000_000
        connection.sock.flush()
        return True

    process.answer = answer
    client = connect()
    client.sendall(GET)
    process.turn()

    received = 0
    while received < 8_000_000:
        received += len(client.recv(1_000_000))
        process.turn(patience=0)
    client.sendall(GET[:10])  # the connection is still open
    process.turn()

    assert process.nr_conns == 1


def test_forgets_a_client_that_goes_away_during_an_answer(process: Serving, connect: Connect) -> None:
    def answer(connection: Connection) -> bool:
        connection.sock.unsent += b"a" * 8_000_000
        connection.sock.flush()
        return True

    process.answer = answer
    client = connect()
    client.sendall(GET)
    process.turn()

    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset, not an end
    client.close()
    process.turn()

    assert process.nr_conns == 0


def test_closes_a_connection_after_an_answer_that_failed(process: Serving, connect: Connect) -> None:
    def answer(_: Connection) -> bool:
        raise ValueError

    process.answer = answer
    client = connect()
    client.sendall(GET)
    process.turn()

    assert client.recv(1) == b""
    assert process.nr_conns == 0


def test_continues_with_no_connection_that_made_room_in_the_same_round(
    process: Serving, connect: Connect
) -> None:
    client = connect()
    client.sendall(GET)
    [(key, _)] = process.poller.select(10)
    process.murder_keepalived(force=True)

    key.data(key.fileobj)

    assert process.nr_conns == 0


def test_waits_for_no_new_request_when_it_stops(process: Serving, connect: Connect) -> None:
    idle, busy = connect(), connect()
    busy.sendall(GET[:10])
    process.turn()

    process._cap_keepalive(deadline=0.0)
    process._swept_at = 0.0
    process.murder_keepalived()

    assert idle.recv(1) == b""
    assert process.nr_conns == 1


def test_opens_as_many_files_as_it_needs() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = MAX_CONNECTIONS + SPARE_FILES
    if before[1] != resource.RLIM_INFINITY and before[1] < needed:
        pytest.skip("this system allows fewer")
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed - 1, before[1]))

        assert _open_files() == needed
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == needed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
