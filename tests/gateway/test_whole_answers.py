"""A Stripe that never ends its answer, byte by byte, holds nobody longer than one that says nothing."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import stripe

from app.gateway.transport import time_budget
from app.gateway.transport.budget_client import TimeBudgetClient
from tests.support.processes import PATIENCE

TIMEOUTS = (2.0, 0.3)  # seconds to connect, seconds for the whole answer
BETWEEN_PIECES = 0.05  # seconds
START = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
STORIES: dict[str, tuple[bytes, bytes]] = {  # what comes at once, and what comes again and again
    "a long body": (START + b"Content-Length: 100000\r\n\r\n", b" "),
    "many chunks": (START + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "a body without an end": (START + b"\r\n", b" "),
    "a header without an end": (START + b"X-Long: ", b"a"),
    "a flood": (START + b"\r\n", b" "),
    "promises": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


class Trickling:
    """A server that sends a piece of its answer every few moments, until its client goes away."""

    def __init__(self, first: bytes, again: bytes, pause: float = BETWEEN_PIECES) -> None:
        self.left = threading.Event()
        self.received = b""
        self._over = threading.Event()
        trickling = self

        class Trickle(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                trickling.received = self.request.recv(65536)
                with suppress(OSError):
                    self.request.sendall(first)
                    while not trickling._over.wait(pause):
                        self.request.sendall(again)
                trickling.left.set()

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Trickle)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator["Trickling"]:
        """Listen, and in the end let everybody go."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            self._over.set()
            self._server.shutdown()
            self._server.server_close()


def ask(client: stripe.HTTPClient, url: str) -> Callable[[], object]:
    return lambda: client.request("get", f"{url}/v1/account", {}, None)


@pytest.mark.parametrize("story", STORIES)
def test_an_answer_without_an_end_is_given_up(story: str) -> None:
    pause = 0.0 if story == "a flood" else BETWEEN_PIECES
    with Trickling(*STORIES[story], pause).running() as server:
        with pytest.raises(stripe.APIConnectionError) as raised:
            ask(TimeBudgetClient(timeout=TIMEOUTS), server.url)()

        assert server.left.wait(PATIENCE)
        assert raised.value.should_retry


def test_so_it_is_while_a_person_waits() -> None:
    time_budget.set_budget(0.6)
    try:
        with Trickling(*STORIES["a long body"]).running() as server:
            with pytest.raises(stripe.APIConnectionError):
                ask(TimeBudgetClient(timeout=(2.0, PATIENCE)), server.url)()

            assert server.left.wait(PATIENCE)
    finally:
        time_budget.clear_budget()


def test_a_slow_answer_that_ends_in_time_is_read_whole() -> None:
    with Trickling(START + b"Content-Length: 3\r\n\r\n", b"{").running() as server:
        body, status, _ = TimeBudgetClient(timeout=(2.0, PATIENCE)).request("get", server.url, {}, None)

        assert (body, status) == (b"{{{", 200)


def test_so_it_is_behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with Trickling(*STORIES["a long body"]).running() as server:
        monkeypatch.setenv("HTTP_PROXY", server.url)
        with pytest.raises(stripe.APIConnectionError):
            ask(TimeBudgetClient(timeout=TIMEOUTS), "http://stripe.example")()

        assert server.received.startswith(b"GET http://stripe.example/v1/account ")
        assert server.left.wait(PATIENCE)


def test_a_stripe_that_needs_no_proxy_is_called_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.1")  # another spelling, which is not known to be this machine

    with Trickling(START + b"Content-Length: 3\r\n\r\n", b"{").running() as server:
        url = server.url.replace("127.0.0.1", "127.1")
        body, _, _ = TimeBudgetClient(timeout=(2.0, PATIENCE)).request("get", url, {}, None)

    assert body == b"{{{"


def test_a_simulator_on_this_machine_is_called_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    with Trickling(START + b"Content-Length: 3\r\n\r\n", b"{").running() as server:
        body, _, _ = TimeBudgetClient(timeout=(2.0, PATIENCE)).request("get", server.url, {}, None)

    assert body == b"{{{"


def test_a_password_file_does_not_replace_the_api_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords = tmp_path / "netrc"
    passwords.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(passwords))
    key = {"Authorization": "Bearer sk_test_ours"}

    with Trickling(START + b"Content-Length: 3\r\n\r\n", b"{").running() as server:
        TimeBudgetClient(timeout=(2.0, PATIENCE)).request("get", server.url, key, None)

    assert b"Authorization: Bearer sk_test_ours\r\n" in server.received


def test_no_redirect_is_followed() -> None:
    answer = b"HTTP/1.1 302 Found\r\nLocation: /v1/other\r\nContent-Length: 0\r\n\r\n"

    with Trickling(answer, b"").running() as server, pytest.raises(stripe.APIConnectionError) as raised:
        ask(TimeBudgetClient(timeout=TIMEOUTS), server.url)()

    assert not raised.value.should_retry
