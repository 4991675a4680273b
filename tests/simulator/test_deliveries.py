"""Deliveries: signed, repeated until taken, and as wrong as the fault settings make them."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from app.simulator.protocol.post import post
from tests.support.cases import for_each
from tests.support.processes import PATIENCE, wait_until
from tests.support.simulator import Open


def test_is_signed_as_the_sdk_wants_it(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    sdk.v1.customers.create({"name": "Ada"})

    assert simulator.deliver_due() == 1

    (headers,) = inbox.headers
    body = json.dumps(inbox.events[0], indent=2).encode()
    event = sdk.construct_event(body, headers["Stripe-Signature"], inbox.secret)
    assert event.type == "customer.created"
    assert event.api_version == "2026-10-28.endive"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["User-Agent"] == "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
    assert simulator.store.events[event.id]["pending_webhooks"] == 0
    assert simulator.store.events[event.id]["api_version"] == "2026-05-27.dahlia"


def test_only_wanted_events_reach_an_endpoint(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    picky = sdk.v1.webhook_endpoints.create(
        {"url": "http://localhost/picky", "enabled_events": ["customer.updated"]}
    )
    sent: list[str] = []
    simulator.send = lambda url, _body, _headers: sent.append(url) or 200  # type: ignore[func-returns-value]
    customer = sdk.v1.customers.create({"name": "Ada"})
    sdk.v1.customers.update(customer.id, {"name": "Eve"})
    sdk.v1.webhook_endpoints.update(picky.id, {"disabled": True})
    sdk.v1.customers.update(customer.id, {"name": "Ada"})

    simulator.deliver_due()

    assert sent == ["http://localhost/hook"] * 3
    assert {one["error"] for one in simulator.store.tries.values()} == {None, "The endpoint is gone."}


def test_is_retried_on_schedule_and_signed_anew(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    inbox.statuses = [500, 302, 404]
    sdk.v1.customers.create({"name": "Ada"})
    (event,) = simulator.store.events

    counts = []
    for wait in (0, 0.5, 0.6, 4, 1.1, 24, 1.1, 100):
        simulator.advance(wait)
        counts.append(simulator.deliver_due())

    assert counts == [1, 0, 1, 0, 1, 0, 1, 0]
    assert [(one["try"], one["status"]) for one in simulator.store.tries.values()] == [
        (1, 500),
        (2, 302),
        (3, 404),
        (4, 200),
    ]
    assert all(inbox.signed(place) for place in range(4))
    assert simulator.store.events[event]["pending_webhooks"] == 0


def test_gives_up_after_the_last_try(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    simulator.fault_settings.drop_all = True
    sdk.v1.customers.create({"name": "Ada"})

    for _ in range(6):
        simulator.deliver_due()
        simulator.advance(30)

    assert len(simulator.store.tries) == 4
    assert not simulator.store.deliveries
    assert inbox.events == []
    assert [event.type for event in sdk.v1.events.list({"delivery_success": False}).data] == [
        "customer.created"
    ]


def test_are_made_in_the_order_of_their_time(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    for delay in (30, 10, 20):
        simulator.fault_settings.change({"delay": str(delay)})
        sdk.v1.customers.create({"name": str(delay)})

    simulator.advance(40)
    simulator.deliver_due()

    assert [event["data"]["object"]["name"] for event in inbox.events] == ["10", "20", "30"]


def test_a_try_that_was_not_written_down_is_made_again(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk.v1.customers.create({"name": "Ada"})

    def full(*_: object) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr(simulator.store.tries, "put", full)
        with pytest.raises(OSError, match="no space"):
            simulator.deliver_due()
    assert simulator.deliver_due() == 1

    assert len(inbox.events) == 2
    assert len(simulator.store.tries) == 1


def test_whatever_the_receiver_does_is_a_failed_try(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    def broken(*_: object) -> int:
        raise ConnectionRefusedError("nobody there")

    simulator.send = broken
    sdk.v1.customers.create({"name": "Ada"})

    assert simulator.deliver_due() == 1

    (one,) = simulator.store.tries.values()
    assert one["error"] == "ConnectionRefusedError: nobody there"
    assert simulator.send is broken


def test_what_deliveries_cause_is_delivered_too(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    customer = sdk.v1.customers.create({"name": "Ada"})

    def reacting(url: str, body: bytes, headers: dict[str, str]) -> int:
        if json.loads(body)["type"] == "customer.created":
            sdk.v1.customers.update(customer.id, {"name": "Eve"})
        return int(inbox(url, body, headers))

    simulator.send = reacting

    assert simulator.deliver_due() == 2
    assert inbox.types() == ["customer.created", "customer.updated"]


# Fault settings


@pytest.mark.parametrize(
    ("fault_settings", "waits", "types"),
    [
        ({"delay": "30"}, [0, 31], [0, 1]),
        ({"duplicate": "3"}, [0], [3]),
        ({"drop_first": "2"}, [0, 2, 6], [0, 0, 1]),
        ({"hold": "on"}, [0, 60], [0, 0]),
    ],
)
def test_late_doubled_lost_and_held(
    *,
    fault_settings: dict[str, str],
    waits: list[float],
    types: list[int],
    simulator: Simulator,
    sdk: stripe.StripeClient,
    inbox: Any,
) -> None:
    simulator.fault_settings.change(fault_settings)
    sdk.v1.customers.create({"name": "Ada"})

    seen = []
    for wait in waits:
        simulator.advance(wait)
        simulator.deliver_due()
        seen.append(len(inbox.events))

    assert seen == types
    simulator.release()
    simulator.deliver_due()
    (event,) = simulator.store.events.values()
    assert len(inbox.events) == max(types[-1], 1)
    assert event["pending_webhooks"] == 0


def test_shuffles(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    simulator.fault_settings.shuffle = True
    names = [str(n) for n in range(20)]
    for name in names:
        sdk.v1.customers.create({"name": name})

    simulator.deliver_due()

    told = [event["data"]["object"]["name"] for event in inbox.events]
    assert sorted(told) == sorted(names)
    assert told != names


def test_signs_wrongly_when_told_to(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    def last_try(**fault_settings: object) -> None:
        simulator.fault_settings.reset()
        simulator.fault_settings.change(fault_settings)
        sdk.v1.customers.create({"name": "Ada"})
        simulator.deliver_due()

    def moment() -> int:
        return int(inbox.headers[-1]["Stripe-Signature"].partition(",")[0].removeprefix("t="))

    last_try(wrong_secret=True)
    assert not inbox.signed()
    last_try(stale=True)
    assert inbox.signed()
    assert moment() < time.time() - 300
    last_try(two_signatures=True)
    assert inbox.signed()
    assert inbox.headers[-1]["Stripe-Signature"].count("v1=") == 2
    last_try(wrong_livemode=True)
    assert inbox.events[-1]["livemode"] is True
    last_try()
    assert (inbox.signed(), inbox.events[-1]["livemode"]) == (True, False)


@pytest.mark.parametrize(
    ("when", "at_once", "due_now", "due_later"),
    [("with", 0, 3, 3), ("before", 3, 3, 3), ("after", 0, 0, 3), ("never", 0, 0, 0)],
)
def test_the_pages_events_come_when_they_are_wanted(
    *,
    when: str,
    at_once: int,
    due_now: int,
    due_later: int,
    simulator: Simulator,
    open_session: Open,
    inbox: Any,
) -> None:
    session = open_session()
    simulator.deliver_due()
    inbox.events.clear()
    simulator.fault_settings.change({"webhook": when})

    simulator.save_card(session.id)

    seen = [len(inbox.events)]
    simulator.deliver_due()
    seen.append(len(inbox.events))
    simulator.advance(2)
    simulator.deliver_due()
    assert [*seen, len(inbox.events)] == [at_once, due_now, due_later]


def test_an_event_is_sent_again_by_its_id(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    sdk.v1.customers.create({"name": "Ada"})
    simulator.deliver_due()

    assert simulator.replay_event(inbox.events[0]["id"]) == 1
    simulator.deliver_due()

    assert [event["id"] for event in inbox.events] == [inbox.events[0]["id"]] * 2


@for_each(
    "wrong",
    [
        {"nothing": 1},
        {"duplicate": 0},
        {"delay": -1},
        {"delay": "nan"},
        {"delay": "inf"},
        {"hold": "maybe"},
        {"webhook": "sometime"},
    ],
)
def test_fault_settings_refuse_nonsense(wrong: dict[str, object], simulator: Simulator) -> None:
    before = simulator.fault_settings.state()

    with pytest.raises(ValueError, match=r"\w"):
        simulator.fault_settings.change({"shuffle": True} | wrong)

    assert simulator.fault_settings.state() == before


# Threads and HTTP


class Receiver(BaseHTTPRequestHandler):
    """Answers by path: /302 redirects to itself, /500 fails."""

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
def test_posts_over_http_and_follows_nothing(status: int, receiver: tuple[str, list[Any]]) -> None:
    url, got = receiver

    assert post(f"{url}/{status}", b"{}", {"X-Test": "1", "Content-Type": "text/plain"}) == status

    assert [(path, body) for path, _, body in got] == [(f"/{status}", b"{}")]
    assert got[0][1]["X-Test"] == "1"


def test_delivers_in_threads_at_once_and_in_parallel(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
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


def test_threads_retry_and_expire_by_the_clock(
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


def test_closes_at_once_although_a_receiver_hangs(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
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


def test_holds_back_in_threads_until_released(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    simulator.fault_settings.hold = True
    simulator.start()
    sdk.v1.customers.create({"name": "Ada"})
    assert inbox.events == []

    simulator.release()

    wait_until(lambda: bool(inbox.events))


def test_a_delivery_is_in_one_hand_only(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
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
