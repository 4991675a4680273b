"""Slow clients hold no thread: a normal request is answered while hundreds of others are half sent."""

import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.cases import for_each
from tests.support.commands import environment
from tests.support.processes import PATIENCE, PROCESS_MARKS, Program, fetch, free_port, gangway, wait_until

pytestmark = PROCESS_MARKS

HEADER = b"POST /signup HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
GET = b"GET /signup HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture
def served(database_url: str) -> Iterator[tuple[Program, int]]:
    """The portal with four threads."""
    port = free_port()
    settings = environment(database_url, WEB_THREADS="4", WORKER_THREADS="0", LOG_LEVEL="WARNING")
    with gangway("serve", "--bind", f"127.0.0.1:{port}", **settings) as server:
        server.wait_for(f"http://127.0.0.1:{port}/healthz")
        yield server, port


def connect(stack: ExitStack, port: int, sent: bytes) -> socket.socket:
    client = stack.enter_context(socket.create_connection(("127.0.0.1", port), PATIENCE))
    client.sendall(sent)
    return client


@for_each(
    ("what", "sent", "count"),
    [
        ("half headers", HEADER, 20),
        ("half bodies", HEADER + b"Content-Length: 100\r\n\r\nname=Ada", 20),
        ("half chunks", HEADER + b"Transfer-Encoding: chunked\r\n\r\n9\r\nname", 20),
        ("silence", b"", 400),
        ("never reading", b"GET /static/portal.css HTTP/1.1\r\nHost: a\r\n\r\n" * 40, 20),
    ],
)
def test_answers_everybody_else(served: tuple[Program, int], what: str, sent: bytes, count: int) -> None:
    _, port = served
    with ExitStack() as stack:
        for _ in range(count):
            connect(stack, port, sent)

        answers = [fetch(f"http://127.0.0.1:{port}/signup") for _ in range(8)]

    assert {status for status, _ in answers} == {200}, what


def test_closes_what_does_not_end(served: tuple[Program, int]) -> None:
    _, port = served
    with ExitStack() as stack:
        client = connect(stack, port, HEADER)

        assert client.recv(100) == b""


def test_answers_several_requests_on_one_connection(served: tuple[Program, int]) -> None:
    _, port = served
    with ExitStack() as stack:
        client = connect(stack, port, GET + GET + GET.replace(b"Host", b"Connection: close\r\nHost"))
        received = b"".join(iter(lambda: client.recv(65536), b""))

    assert received.count(b"HTTP/1.1 200 OK") == 3


def test_says_that_a_body_is_too_long_before_it_has_arrived(served: tuple[Program, int]) -> None:
    _, port = served
    with ExitStack() as stack:
        client = connect(stack, port, HEADER + b"Content-Length: 9999999\r\n\r\n" + b"a" * 1000)
        received = b"".join(iter(lambda: client.recv(65536), b""))

    assert received.startswith(b"HTTP/1.1 413")
    assert b"\r\nConnection: close\r\n" in received  # a proxy must not send the next request there


def test_stays_open_after_a_long_body_that_nobody_reads(served: tuple[Program, int]) -> None:
    _, port = served
    sent = HEADER + b"Content-Length: 200000\r\n\r\n" + b"a" * 200_000
    with ExitStack() as stack:
        client = connect(stack, port, sent + GET.replace(b"Host", b"Connection: close\r\nHost"))
        received = b"".join(iter(lambda: client.recv(65536), b""))

    assert received.startswith(b"HTTP/1.1 413")
    assert received.count(b"HTTP/1.1 200 OK") == 1


def test_several_processes_share_a_unix_socket(database_url: str, tmp_path: Path) -> None:
    path = tmp_path / "web.sock"
    settings = environment(database_url, WEB_PROCESSES="2", WORKER_THREADS="0")

    def answer() -> bytes:
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE)
            client.connect(str(path))
            client.sendall(GET)
            return client.recv(20)

    with gangway("serve", "--bind", f"unix:{path}", **settings) as server:
        server.wait_until(lambda: answer().startswith(b"HTTP/1.1 200"))
        mode = path.stat().st_mode & 0o777
        with gangway("serve", "--bind", f"unix:{path}", **settings) as second:
            status, _, said = second.end()
        ended = server.tell(signal.SIGTERM)

    assert mode == 0o660
    assert status == 1
    assert said == f"Error: The socket {path} is taken: stop what listens there first.\n"
    assert ended == 0
    assert not path.exists()


def test_a_stopping_server_answers_what_it_has_begun(served: tuple[Program, int]) -> None:
    server, port = served
    with ExitStack() as stack:
        client = connect(stack, port, GET[:-2])
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200)
        server.process.send_signal(signal.SIGTERM)
        client.sendall(b"\r\n")

        received = b"".join(iter(lambda: client.recv(65536), b""))
        status = server.end()[0]

    assert received.startswith(b"HTTP/1.1 200")
    assert status == 0
