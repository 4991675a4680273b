"""Deliveries: signed, in order, and repeated until the endpoint takes them."""

import json
from typing import Any

import pytest
import stripe

from app.simulator import Simulator


def test_the_sdk_accepts_the_signature(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
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


def test_an_endpoint_gets_only_its_event_types(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    other = sdk.v1.webhook_endpoints.create(
        {"url": "http://localhost/other", "enabled_events": ["customer.updated"]}
    )
    sent: list[str] = []
    simulator.send = lambda url, _body, _headers: sent.append(url) or 200  # type: ignore[func-returns-value]
    customer = sdk.v1.customers.create({"name": "Ada"})
    sdk.v1.customers.update(customer.id, {"name": "Eve"})
    sdk.v1.webhook_endpoints.update(other.id, {"disabled": True})
    sdk.v1.customers.update(customer.id, {"name": "Ada"})

    simulator.deliver_due()

    assert sent == ["http://localhost/hook"] * 3
    assert {one["error"] for one in simulator.store.tries.values()} == {None, "The endpoint is gone."}


def test_retries_on_schedule_with_new_signatures(
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
    assert all(inbox.is_signed(place) for place in range(4))
    assert simulator.store.events[event]["pending_webhooks"] == 0


def test_gives_up_after_the_last_attempt(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
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


def test_delivers_in_the_order_of_due_times(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    for delay in (30, 10, 20):
        simulator.fault_settings.change({"delay": str(delay)})
        sdk.v1.customers.create({"name": str(delay)})

    simulator.advance(40)
    simulator.deliver_due()

    assert [event["data"]["object"]["name"] for event in inbox.events] == ["10", "20", "30"]


def test_repeats_an_attempt_that_was_not_recorded(
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


def test_records_an_exception_as_a_failed_attempt(
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


def test_delivers_events_that_deliveries_cause(
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


def test_replays_an_event(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    sdk.v1.customers.create({"name": "Ada"})
    simulator.deliver_due()

    assert simulator.replay_event(inbox.events[0]["id"]) == 1
    simulator.deliver_due()

    assert [event["id"] for event in inbox.events] == [inbox.events[0]["id"]] * 2
