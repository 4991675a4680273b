"""A thread gets a request once all of it has arrived, however the client cuts it into pieces."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from gunicorn.config import Config

from app.serving import connection as module
from app.serving.connection import MAX_BODY, MAX_HEADER, MAX_UNSENT, Connection, Stage
from tests.support.processes import PATIENCE

GET = b"GET /signup HTTP/1.1\r\nHost: example.com\r\n\r\n"
POST = b"POST /signup HTTP/1.1\r\nHost: example.com\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /signup HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;note=1\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


@pytest.fixture
def connection() -> Iterator[tuple[Connection, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        yield Connection(Config(), near, ("192.0.2.1", 1), ("192.0.2.2", 80)), far


def deliver(connection: tuple[Connection, socket.socket], data: bytes) -> bool:
    """Send data, and say whether a thread can have a request now."""
    server, client = connection
    client.settimeout(10)
    for start in range(0, len(data), 4096):
        client.sendall(data[start : start + 4096])
        assert server.receive()
        if server.advance():
            return True
    return False


def parsed(connection: tuple[Connection, socket.socket]) -> tuple[str, bytes]:
    """Return the path and body that the thread sees."""
    server, _ = connection
    server.init()
    parser: Any = server.parser
    request = next(parser)
    return request.path, request.body.read()


@pytest.mark.parametrize("data", [GET, POST, CHUNKED])
def test_takes_a_request_at_its_last_byte(connection: tuple[Connection, socket.socket], data: bytes) -> None:
    for byte in data[:-1]:
        assert not deliver(connection, bytes([byte]))

    assert deliver(connection, data[-1:])
    assert connection[0].is_whole
    assert parsed(connection) == ("/signup", b"" if data == GET else b"hello")


def test_keeps_what_comes_after_a_request_for_the_next(connection: tuple[Connection, socket.socket]) -> None:
    assert deliver(connection, POST + CHUNKED + GET[:10])
    first = parsed(connection)
    connection[0].begin_next()
    assert connection[0].advance()
    second = parsed(connection)
    connection[0].begin_next()

    assert (first, second) == (("/signup", b"hello"), ("/signup", b"hello"))
    assert not connection[0].advance()
    assert connection[0].stage is Stage.HEADER


def test_does_not_wait_for_a_body_that_is_too_long(connection: tuple[Connection, socket.socket]) -> None:
    header = b"POST / HTTP/1.1\r\nHost: example.com\r\nContent-Length: %d\r\n\r\n" % (MAX_BODY + 1)

    assert deliver(connection, header)
    assert not connection[0].is_whole


@pytest.mark.parametrize("digits", [b"9" * 16, b"9" * 23, b"9" * 5000, b"0" * 20 + b"9" * 16])
def test_takes_no_body_for_the_next_request_however_long_its_length(
    connection: tuple[Connection, socket.socket], digits: bytes
) -> None:
    header = b"POST /signup HTTP/1.1\r\nHost: example.com\r\nContent-Length: " + digits + b"\r\n\r\n"

    assert deliver(connection, header + GET)
    assert not connection[0].is_whole  # so the connection closes after the answer


def test_reads_a_length_with_many_zeros_before_it(connection: tuple[Connection, socket.socket]) -> None:
    assert deliver(connection, POST.replace(b"Length: 5", b"Length: " + b"0" * 20 + b"5") + GET)
    assert parsed(connection) == ("/signup", b"hello")
    connection[0].begin_next()
    assert connection[0].advance()


@pytest.mark.parametrize(
    "rest",
    [
        pytest.param(b"-5\r\n", id="negative"),
        pytest.param(b"zz\r\n", id="not a number"),
        pytest.param(b"1" * 5000, id="a line without end"),
        pytest.param(b"1ffff0\r\n" + b"a" * (MAX_HEADER + MAX_BODY), id="too long"),
    ],
)
def test_gives_up_on_chunks_without_sense(connection: tuple[Connection, socket.socket], rest: bytes) -> None:
    assert deliver(connection, b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + rest)
    assert not connection[0].is_whole


def test_gives_up_on_a_header_without_end(connection: tuple[Connection, socket.socket]) -> None:
    assert deliver(connection, b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEADER)
    assert not connection[0].is_whole


def test_leaves_a_length_without_sense_to_the_parser(connection: tuple[Connection, socket.socket]) -> None:
    assert deliver(connection, b"POST / HTTP/1.1\r\nContent-Length: five\r\n\r\n")


def test_tells_a_client_that_asks_first_to_continue(connection: tuple[Connection, socket.socket]) -> None:
    server, client = connection

    assert not deliver(connection, POST[:-7] + b"Expect: 100-continue\r\n\r\n")
    assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert deliver(connection, b"hello")
    assert server.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n") == 25  # gunicorn's own, which is swallowed
    assert not server.sock.unsent


def test_notices_that_the_client_has_gone(connection: tuple[Connection, socket.socket]) -> None:
    server, client = connection
    assert server.receive()  # nothing has arrived yet

    client.close()

    assert not server.receive()


def test_keeps_what_a_slow_client_does_not_read(connection: tuple[Connection, socket.socket]) -> None:
    server, client = connection
    server.sock.sendall(b"a" * 1_000_000)
    client.settimeout(10)

    received = 0
    while received < 1_000_000:
        received += len(client.recv(65536))
        server.sock.flush()

    assert not server.sock.unsent


def test_waits_for_a_slow_client_when_too_much_is_unsent(
    connection: tuple[Connection, socket.socket],
) -> None:
    server, client = connection
    client.settimeout(PATIENCE)
    size = 4 * MAX_UNSENT

    with ThreadPoolExecutor(1) as thread:
        sending = thread.submit(server.sock.sendall, b"a" * size)
        received = 0
        while received < size - MAX_UNSENT:
            received += len(client.recv(65536))
        sending.result(PATIENCE)

    assert len(server.sock.unsent) <= MAX_UNSENT


def test_gives_up_on_a_client_that_reads_nothing(
    connection: tuple[Connection, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, _ = connection
    monkeypatch.setattr(module, "SEND_TIMEOUT", 0.0)

    with pytest.raises(BrokenPipeError, match="does not read"):
        server.sock.sendall(b"a" * 4 * MAX_UNSENT)

    assert server.sock.is_closed


def test_leaves_closing_to_the_main_loop(connection: tuple[Connection, socket.socket]) -> None:
    server, client = connection

    with pytest.raises(OSError, match="The main loop"):
        server.sock.shutdown(socket.SHUT_RDWR)
    server.sock.close()

    assert server.sock.is_closed
    assert server.sock.gettimeout() == 0
    client.sendall(b"a")
    assert server.receive()
