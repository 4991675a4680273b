"""Deliveries in threads and over HTTP."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from app.simulator.protocol.deliveries.post import post
from tests.support.processes import PATIENCE, wait_until
from tests.support.simulator import Open


class Receiver(BaseHTTPRequestHandler):
    """Answers with the status in the path: /302 redirects, /500 fails."""

    got: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        self.got.append((self.path, dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(int(self.path.strip("/")))
        self.send_header("Location", "/200")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[Any]]]:
    got: list[Any] = []
    handler = type("Handler", (Receiver,), {"got": got})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", got
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
def test_posts_over_http_without_following_redirects(status: int, receiver: tuple[str, list[Any]]) -> None:
    url, got = receiver

    assert post(f"{url}/{status}", b"{}", {"X-Test": "1", "Content-Type": "text/plain"}) == status

    assert [(path, body) for path, _, body in got] == [(f"/{status}", b"{}")]
    assert got[0][1]["X-Test"] == "1"


def test_delivers_in_parallel_threads(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    together = threading.Barrier(3)

    def slow(url: str, body: bytes, headers: dict[str, str]) -> int:
        together.wait(PATIENCE)
        return int(inbox(url, body, headers))

    simulator.send = slow
    simulator.start()
    simulator.start()
    for name in "abc":
        sdk.v1.customers.create({"name": name})

    wait_until(lambda: not simulator.store.deliveries)

    assert len(inbox.events) == 3


def test_threads_retry_and_expire_sessions(
    simulator: Simulator, sdk: stripe.StripeClient, open_session: Open, inbox: Any
) -> None:
    inbox.statuses = [500, 500, 500]
    simulator.start()
    session = open_session()
    wait_until(lambda: len(inbox.events) >= 2)
    simulator.advance(24 * 3600 + 1)

    wait_until(lambda: "checkout.session.expired" in inbox.types())
    wait_until(lambda: not simulator.store.deliveries)

    assert simulator.store.checkout_sessions[session.id]["status"] == "expired"


def test_closes_while_a_receiver_hangs(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    asked, released = threading.Event(), threading.Event()

    def hanging(*_: object) -> int:
        asked.set()
        released.wait(10 * PATIENCE)
        return 200

    simulator.send = hanging
    simulator.start()
    sdk.v1.customers.create({"name": "Ada"})
    assert asked.wait(PATIENCE)

    simulator.close()

    hung = [thread for thread in threading.enumerate() if thread.name.startswith("simulator-delivery")]
    released.set()
    for thread in hung:
        thread.join(PATIENCE)
    with pytest.raises(RuntimeError, match="closed"):
        sdk.v1.customers.create({"name": "Eve"})


def test_threads_hold_deliveries_until_release(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    simulator.fault_settings.hold = True
    simulator.start()
    sdk.v1.customers.create({"name": "Ada"})
    assert inbox.events == []

    simulator.release()

    wait_until(lambda: bool(inbox.events))


def test_makes_a_delivery_in_one_thread_only(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    sdk.v1.customers.create({"name": "Ada"})
    (key,) = simulator.store.deliveries

    def reentrant(url: str, body: bytes, headers: dict[str, str]) -> int:
        simulator.deliveries.deliver([key])
        assert simulator.deliveries.deliver_due() == 0
        return int(inbox(url, body, headers))

    simulator.send = reentrant
    simulator.deliver_due()
    simulator.deliveries.deliver([key])

    assert len(inbox.events) == 1
