"""Faults at random: lost, repeated, late and wrongly signed deliveries, and failed calls."""

from typing import Any

import pytest
import stripe

from app.simulator import FAULTS, Simulator
from tests.support.processes import wait_until
from tests.support.simulator import Raw

MANY = 120


@pytest.fixture(autouse=True)
def _seed_the_random_faults(simulator: Simulator) -> None:
    simulator.fault_settings.random.seed(7)


def send_many(simulator: Simulator, sdk: stripe.StripeClient, **fault_settings: object) -> None:
    """Emit and deliver many events with these fault settings."""
    simulator.fault_settings.change(fault_settings)
    for number in range(MANY):
        sdk.v1.customers.create({"name": str(number)})
    simulator.deliver_due()


def test_sends_some_events_twice(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    send_many(simulator, sdk, duplicate_rate=0.2)

    assert MANY * 1.1 < len(inbox.events) < MANY * 1.3
    assert len({event["id"] for event in inbox.events}) == MANY


def test_loses_some_attempts_and_repeats_them(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    send_many(simulator, sdk, drop_rate=0.2)
    first = len(inbox.events)
    simulator.fault_settings.reset()
    simulator.advance(2)
    simulator.deliver_due()

    assert MANY * 0.7 < first < MANY * 0.9
    assert len(inbox.events) == MANY


def test_never_sends_some_events(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    send_many(simulator, sdk, lose_rate=0.2)
    simulator.advance(3600)
    simulator.deliver_due()

    assert MANY * 0.7 < len(inbox.events) < MANY * 0.9
    listed = sdk.v1.events.list({"limit": 100, "delivery_success": False}).auto_paging_iter()
    assert len(list(listed)) == MANY - len(inbox.events)


def test_signs_some_events_with_a_wrong_secret(
    simulator: Simulator, sdk: stripe.StripeClient, inbox: Any
) -> None:
    send_many(simulator, sdk, missign_rate=0.2)

    signed = sum(inbox.is_signed(place) for place in range(MANY))
    assert MANY * 0.7 < signed < MANY * 0.9


def test_delays_some_events(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    send_many(simulator, sdk, delay_max=100)
    at_once = len(inbox.events)
    simulator.advance(50)
    simulator.deliver_due()
    half = len(inbox.events)
    simulator.advance(50)
    simulator.deliver_due()

    assert at_once < half < MANY  # the exact number depends on the real time too
    assert len(inbox.events) == MANY


def test_some_calls_fail(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"error_rate": 0.3, "error_kinds": "429 503", "error_seconds": 3})

    answers = [raw("GET", "/v1/customers") for _ in range(MANY)]

    statuses = [answer.status_code for answer in answers]
    assert MANY * 0.6 < statuses.count(200) < MANY * 0.8
    assert set(statuses) == {200, 429, 503}
    assert {a.headers.get("Retry-After") for a in answers if a.status_code == 429} == {"3"}


def test_random_faults_include_every_kind(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"error_rate": 1, "error_seconds": 0})
    seen: list[str] = []

    for _ in range(100):
        try:
            answer = raw("POST", "/v1/customers", "name=Ada")
        except (ConnectionError, TimeoutError) as cut:
            seen.append(type(cut).__name__)
        else:
            seen.append(f"{answer.status_code} {answer.mimetype}")

    assert set(seen) == {
        "ConnectionResetError",
        "NoAnswer",
        "200 text/html",
        "200 application/json",
        "429 application/json",
        "500 application/json",
        "503 application/json",
    }
    assert 0 < len(simulator.store.customers) < 100


def test_delivers_duplicates_in_threads(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    simulator.fault_settings.change({"duplicate_rate": 1})
    simulator.start()

    sdk.v1.customers.create({"name": "Ada"})

    wait_until(lambda: len(inbox.events) == 2)
    assert len({event["id"] for event in inbox.events}) == 1


@pytest.mark.parametrize(
    "wrong", [{"error_rate": 1.1}, {"drop_rate": -0.1}, {"outage": "flood"}, {"error_kinds": "503 fire"}]
)
def test_refuses_wrong_rates_and_kinds(wrong: dict[str, object], simulator: Simulator) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        simulator.fault_settings.change(wrong)


def test_no_call_fails_without_a_kind_of_fault(simulator: Simulator, raw: Raw) -> None:
    simulator.fault_settings.change({"error_rate": 1, "error_kinds": ""})

    assert raw("GET", "/v1/customers").status_code == 200
    simulator.fault_settings.reset()
    assert simulator.fault_settings.error_kinds.split() == list(FAULTS)
