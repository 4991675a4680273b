"""Deliveries that the fault settings delay, repeat, drop, hold, shuffle or sign wrongly."""

import time
from typing import Any

import pytest
import stripe

from app.simulator import Simulator
from tests.support.cases import for_each
from tests.support.simulator import Open


@pytest.mark.parametrize(
    ("fault_settings", "waits", "types"),
    [
        ({"delay": "30"}, [0, 31], [0, 1]),
        ({"duplicate": "3"}, [0], [3]),
        ({"drop_first": "2"}, [0, 2, 6], [0, 0, 1]),
        ({"hold": "on"}, [0, 60], [0, 0]),
    ],
)
def test_delays_duplicates_drops_and_holds_deliveries(
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


def test_shuffles_deliveries(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    simulator.fault_settings.shuffle = True
    names = [str(n) for n in range(20)]
    for name in names:
        sdk.v1.customers.create({"name": name})

    simulator.deliver_due()

    names_sent = [event["data"]["object"]["name"] for event in inbox.events]
    assert sorted(names_sent) == sorted(names)
    assert names_sent != names


def test_makes_wrong_signatures(simulator: Simulator, sdk: stripe.StripeClient, inbox: Any) -> None:
    def deliver(**fault_settings: object) -> None:
        simulator.fault_settings.reset()
        simulator.fault_settings.change(fault_settings)
        sdk.v1.customers.create({"name": "Ada"})
        simulator.deliver_due()

    def timestamp() -> int:
        return int(inbox.headers[-1]["Stripe-Signature"].partition(",")[0].removeprefix("t="))

    deliver(wrong_secret=True)
    assert not inbox.is_signed()
    deliver(stale=True)
    assert inbox.is_signed()
    assert timestamp() < time.time() - 300
    deliver(two_signatures=True)
    assert inbox.is_signed()
    assert inbox.headers[-1]["Stripe-Signature"].count("v1=") == 2
    deliver(wrong_livemode=True)
    assert inbox.events[-1]["livemode"] is True
    deliver()
    assert (inbox.is_signed(), inbox.events[-1]["livemode"]) == (True, False)


@pytest.mark.parametrize(
    ("when", "at_once", "due_now", "due_later"),
    [("with", 0, 3, 3), ("before", 3, 3, 3), ("after", 0, 0, 3), ("never", 0, 0, 0)],
)
def test_times_the_events_of_the_hosted_page(
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
def test_refuses_wrong_settings_and_changes_none(wrong: dict[str, object], simulator: Simulator) -> None:
    before = simulator.fault_settings.state()

    with pytest.raises(ValueError, match=r"\w"):
        simulator.fault_settings.change({"shuffle": True} | wrong)

    assert simulator.fault_settings.state() == before
