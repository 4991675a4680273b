"""When Stripe does not answer, nothing is lost: the call is repeated later and later, and holds up nobody
else."""

from datetime import timedelta

import pytest
import time_machine
from flask import Response

from app import webhooks
from app.core import db
from app.core.db import utcnow
from app.payers import PaymentStatus
from app.simulator import Simulator
from app.sync import payer_leases
from app.sync.convergence.converge import converge
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_failures import MAX_ATTEMPTS, wait_of
from tests.support.truth import assert_agrees
from tests.support.world import World

FAULTS = {
    "429": "Stripe asks us to slow down.",
    "lock": "Stripe asks us to slow down.",
    "500": "Stripe had a problem.",
    "503": "Stripe had a problem.",
    "timeout": "Stripe can't be reached.",
    "reset": "Stripe can't be reached.",
}


@pytest.fixture
def _slow_down(simulator: Simulator) -> None:
    """Stripe says for how long it wants to be left alone."""

    @simulator.wsgi.after_request
    def _say(answer: Response) -> Response:
        if answer.status_code == 429:
            answer.headers["Retry-After"] = "120"
        return answer


@pytest.mark.parametrize("fault", FAULTS)
def test_are_overcome_by_another_try(
    fault: str, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    world.simulator.faults.add(fault, "GET /v1/checkout/sessions/*", times=2)  # the SDK's own tries
    world.settle()
    world.simulator.faults.clear()
    assert person.status == PaymentStatus.IN_PROGRESS
    assert (person.payer.attempts, person.payer.last_error) == (1, FAULTS[fault])
    assert {found.state for found in rows(Event)} == {"waiting"}

    clock.shift(3)
    world.settle()

    assert (person.payer.attempts, person.payer.last_error) == (0, None)
    assert {found.state for found in rows(Event)} == {"done"}
    assert_agrees(person)


@pytest.mark.parametrize("fault", [*FAULTS, "timeout_after", "reset_after"])
def test_of_making_a_card_the_default_are_overcome_by_another_try(
    fault: str, clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.save_card()
    world.simulator.faults.add(fault, "POST /v1/customers/*", times=10)
    world.simulator.deliver_due()
    world.work()
    assert person.payer.attempts == 1
    world.simulator.faults.clear()

    clock.shift(3)
    world.settle()

    assert person.payer.attempts == 0
    assert person.stripe_default is not None
    assert_agrees(person)


@pytest.mark.parametrize("fault", ["500", "503", "timeout", "reset", "timeout_after", "reset_after"])
def test_that_pass_at_once_are_not_even_noticed(fault: str, world: World, person: Person) -> None:
    person.save_card()
    world.simulator.faults.add(fault, "GET /v1/checkout/sessions/*")

    world.settle()

    assert person.payer.attempts == 0
    assert_agrees(person)


def test_do_not_hold_up_others(clock: time_machine.Traveller, world: World, person: Person) -> None:
    other = world.person()
    person.save_card()
    other.save_card()
    world.simulator.faults.add("500", f"GET /v1/checkout/sessions/{person.session_id}", times=100)

    world.settle()
    clock.shift(1)
    world.settle()

    assert (person.status, other.status) == (PaymentStatus.IN_PROGRESS, PaymentStatus.SAVED)


@pytest.mark.usefixtures("_slow_down")
def test_are_not_repeated_before_the_time_that_stripe_asks_for(world: World, person: Person) -> None:
    person.save_card()
    world.simulator.faults.add("429", "GET *")

    world.settle()

    assert timedelta(seconds=110) < wait_of(person) <= timedelta(seconds=120)


def test_are_repeated_later_and_later(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    clock.move_to(utcnow(), tick=False)  # half a second must not be too short for a slow machine
    person.save_card()
    world.simulator.faults.add("429", "GET *", times=1000)
    world.settle()

    waits = [wait_of(person).total_seconds()]
    while person.payer.attempts < MAX_ATTEMPTS - 1:
        calls.clear()
        clock.shift(wait_of(person).total_seconds() - 0.5)
        world.settle()
        assert calls.made == []
        clock.shift(1)
        world.settle()
        assert len(calls.made) == 1
        waits.append(wait_of(person).total_seconds())

    for tries, wait in enumerate(waits, start=1):
        longest = min(2.0**tries, 3600)
        assert longest / 2 - 2 < wait <= longest


def test_while_a_card_is_made_the_default_do_not_hide_what_the_dashboard_says_since(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.save_card()
    world.simulator.faults.add("reset_after", "POST /v1/customers/*", times=10)
    world.settle()
    world.simulator.faults.clear()
    chosen = world.attach_card(person)
    world.choose_default(person, chosen)

    clock.shift(10)
    world.settle()

    assert_agrees(person)


def test_are_not_repeated_any_sooner_because_something_is_hinted_at(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    world.simulator.faults.add("429", "GET *", times=1000)
    while person.payer.attempts < 6:
        world.settle()
        clock.shift(wait_of(person).total_seconds())
    world.settle()
    due_at, calls.made[:] = person.payer.due_at, []

    for kind in ("setup_intent.succeeded", "checkout.session.completed"):
        world.simulator.replay_event(
            next(key for key, found in world.simulator.store.events.items() if found["type"] == kind)
        )
    world.attach_card(person)
    calls.clear()
    world.settle()

    assert calls.made == []
    assert person.payer.due_at == due_at


def test_to_look_for_what_is_no_longer_wanted_do_not_delay_a_card(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    world.settle()
    clock.shift(
        121
    )  # it is time for a look, which fails; and meanwhile comes an event that tells nothing new
    with world.app.app_context():
        [lease] = payer_leases.claim_due(db.session(), most=1)
    world.stripe("POST", f"/v1/customers/{person.stripe_customer_id}", name="Other name")
    world.simulator.deliver_due()
    with world.app.app_context():
        webhooks.dispatch(db.session())
    world.simulator.faults.add("503", "*", times=2)
    with world.app.app_context():
        converge(db.session(), lease)
    world.simulator.faults.clear()
    clock.shift(5)
    world.work()

    person.save_card()
    world.simulator.deliver_due()
    clock.shift(10)
    world.work()

    assert person.status == PaymentStatus.SAVED
