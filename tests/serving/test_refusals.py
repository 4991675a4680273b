"""What gunicorn's parser cannot read gets a page in our words, or a problem document under /api/."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support.browser import Page
from tests.support.commands import environment
from tests.support.processes import PATIENCE, PROCESS_MARKS, free_port, gangway

pytestmark = PROCESS_MARKS

HOST = b"Host: 127.0.0.1\r\n"
LONG = b"x" * 9000
REQUESTS = {
    "a long address": (
        b"GET %s?" + LONG + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        414,
        "That address is too long",
    ),
    "a long header": (
        b"GET %s HTTP/1.1\r\n" + HOST + b"Cookie: " + LONG + b"\r\n\r\n",
        431,
        "Your browser sent too much",
    ),
    "endless headers": (
        b"GET %s HTTP/1.1\r\n" + HOST + b"Cookie: a\r\n" * 7000,
        431,
        "Your browser sent too much",
    ),
    "an endless address": (b"GET %s?" + b"x" * 70_000, 414, "That address is too long"),
    "no version": (b"GET %s\r\n\r\n", 400, "We couldn’t read that"),
    "a bad method": (b"G<T %s HTTP/1.1\r\n" + HOST + b"\r\n", 400, "We couldn’t read that"),
    "a bad header": (b"GET %s HTTP/1.1\r\n" + HOST + b"a b: c\r\n\r\n", 400, "We couldn’t read that"),
    "two lengths": (
        b"POST %s HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        400,
        "We couldn’t read that",
    ),
    "an unknown coding": (
        b"POST %s HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: odd\r\n\r\n",
        501,
        "We don’t offer that",
    ),
}


@contextmanager
def served(database_url: str) -> Iterator[int]:
    """Serve the portal, and give its port."""
    port = free_port()
    settings = environment(database_url, WEB_THREADS="2", WORKER_THREADS="0", LOG_LEVEL="WARNING")
    with gangway("serve", "--bind", f"127.0.0.1:{port}", **settings) as server:
        server.wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port


def send(port: int, data: bytes) -> tuple[int, dict[str, str], str]:
    """Send raw bytes, and return the status, the headers and the body of the answer."""
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as client:
        client.sendall(data)
        received = b"".join(iter(lambda: client.recv(65536), b""))
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert int(headers["Content-Length"]) == len(body)
    return int(first.split()[1]), headers, body.decode()


@pytest.fixture
def port(database_url: str) -> Iterator[int]:
    with served(database_url) as found:
        yield found


def test_are_pages_and_problem_documents(port: int) -> None:
    for case, (request, status, heading) in REQUESTS.items():
        on_page = send(port, request.replace(b"%s", b"/signup"))
        in_api = send(port, request.replace(b"%s", b"/api/v1/customers"))

        assert (on_page[0], in_api[0]) == (status, status), case
        page, document = Page(on_page[2]), json.loads(in_api[2])
        assert page.one("h1").text == heading, case
        assert "gunicorn" not in on_page[2].lower(), case
        assert in_api[1]["Content-Type"] == "application/problem+json", case
        assert document["status"] == status, case
        assert document["instance"] == f"urn:request:{in_api[1]['X-Request-Id']}", case
        assert "Content-Security-Policy" in on_page[1], case


def test_comes_once_when_the_body_is_bad(port: int) -> None:
    bad = b"POST %s HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"

    on_page = send(port, bad.replace(b"%s", b"/signup"))
    in_api = send(port, bad.replace(b"%s", b"/api/v1/customers"))

    assert (on_page[0], in_api[0]) == (422, 401)
    assert on_page[2].count("<!DOCTYPE html>") == 1
