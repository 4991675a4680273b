"""When Stripe does not answer, nothing is lost: it is tried again, later and later, and then shown."""

from datetime import timedelta

import pytest
import time_machine
from flask import Response

from app import apps
from app.apps import App
from app.db import utcnow
from app.journal import Entry
from app.payers import PaymentStatus
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator.accounts import add_key, revoke_key
from app.webhooks import Event
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_people import Person, World
from tests.support.sync_truth import assert_equal_to_stripe

FAULTS = {
    "429": "Stripe asks us to slow down.",
    "lock": "Stripe asks us to slow down.",
    "500": "Stripe had a problem of its own.",
    "503": "Stripe had a problem of its own.",
    "timeout": "Stripe can't be reached.",
    "reset": "Stripe can't be reached.",
}
MOST_TRIES = 15


def wait_of(person: Person) -> timedelta:
    """How long it is until the next try."""
    due_at = person.payer.due_at
    assert due_at is not None
    return due_at - utcnow()


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
    person.saves()
    world.simulator.faults.add(fault, "GET /v1/checkout/sessions/*", times=3)  # the SDK's own tries
    world.settle()
    world.simulator.faults.clear()
    assert person.status == PaymentStatus.IN_PROGRESS
    assert (person.payer.attempts, person.payer.last_error) == (1, FAULTS[fault])
    assert {found.state for found in rows(Event)} == {"waiting"}

    clock.shift(3)
    world.settle()

    assert (person.payer.attempts, person.payer.last_error) == (0, None)
    assert {found.state for found in rows(Event)} == {"done"}
    assert_equal_to_stripe(person)


@pytest.mark.parametrize("fault", [*FAULTS, "timeout_after", "reset_after"])
def test_of_making_a_card_the_default_are_overcome_by_another_try(
    fault: str, clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.saves()
    world.simulator.faults.add(fault, "POST /v1/customers/*", times=10)
    world.simulator.deliver_due()
    world.work()
    assert person.payer.attempts == 1
    world.simulator.faults.clear()

    clock.shift(3)
    world.settle()

    assert person.payer.attempts == 0
    assert person.stripe_default is not None
    assert_equal_to_stripe(person)


@pytest.mark.parametrize("fault", ["500", "503", "timeout", "reset", "timeout_after", "reset_after"])
def test_that_pass_at_once_are_not_even_noticed(fault: str, world: World, person: Person) -> None:
    person.saves()
    world.simulator.faults.add(fault, "GET /v1/checkout/sessions/*", times=2)

    world.settle()

    assert person.payer.attempts == 0
    assert_equal_to_stripe(person)


def test_do_not_hold_up_others(world: World, person: Person) -> None:
    other = world.person()
    person.saves()
    other.saves()
    world.simulator.faults.add("500", f"GET /v1/checkout/sessions/{person.page_id}", times=100)

    world.settle()

    assert (person.status, other.status) == (PaymentStatus.IN_PROGRESS, PaymentStatus.SAVED)


@pytest.mark.usefixtures("_slow_down")
def test_are_not_repeated_before_the_time_that_stripe_asks_for(world: World, person: Person) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *")

    world.settle()

    assert timedelta(seconds=110) < wait_of(person) <= timedelta(seconds=120)


def test_are_repeated_later_and_later(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    world.settle()

    waits = [wait_of(person).total_seconds()]
    while person.payer.attempts < MOST_TRIES - 1:
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


def test_that_do_not_end_are_left_to_a_person(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows, calls: StripeCalls
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MOST_TRIES):
        world.settle()
        clock.shift(3601)
    calls.clear()

    world.settle()

    assert calls.made == []
    assert person.payer.due_at is None
    assert {(found.state, found.reason) for found in rows(Event)} == {
        ("dead", "Stripe asks us to slow down.")
    }
    assert [entry.facts for entry in rows(Entry) if entry.kind == "sync.gave_up"] == [
        {"reason": "Stripe asks us to slow down."}
    ]


def test_that_were_given_up_are_taken_up_again_by_a_redelivery(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MOST_TRIES):
        world.settle()
        clock.shift(3601)
    world.simulator.faults.clear()

    world.simulator.replay_event(
        next(found.id for found in rows(Event) if found.type == "setup_intent.succeeded")
    )
    world.settle()

    assert person.payer.attempts == 0
    assert {found.state for found in rows(Event) if found.type == "setup_intent.succeeded"} == {"done"}
    assert_equal_to_stripe(person)


def test_that_were_given_up_are_taken_up_again_when_the_person_returns(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.saves()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MOST_TRIES):
        world.settle()
        clock.shift(3601)
    world.simulator.faults.clear()

    person.returns()

    assert_equal_to_stripe(person)


def test_given_up_in_the_very_moment_of_an_event_do_not_lose_it(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.returns()
    world.simulator.faults.add("429", "GET *", times=1000)
    person.saves("4000000000000002")
    while person.payer.attempts < MOST_TRIES - 1:
        world.settle()
        clock.shift(3601)

    def card_is_saved_meanwhile() -> None:
        person.saves()
        world.simulator.faults.clear()
        world.simulator.faults.add("429", "GET *")
        world.settle()

    calls.before("GET *", card_is_saved_meanwhile)
    world.settle()
    clock.shift(3601)
    world.settle()

    assert_equal_to_stripe(person)


def test_of_the_key_show_in_the_app_until_it_works_again(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    revoke_key(world.simulator.books, DEFAULT_API_KEY)
    world.settle()
    assert [app.status for app in rows(App)] == ["unauthorized"]
    assert person.payer.last_error == "Stripe rejected the API key."
    add_key(world.simulator.books, DEFAULT_API_KEY)

    clock.shift(3)
    world.settle()

    assert [app.status for app in rows(App)] == ["ready"]
    told = [entry.kind for entry in rows(Entry) if entry.kind.startswith("app.")]
    assert sorted(told) == ["app.installed", "app.ready", "app.unauthorized"]
    assert_equal_to_stripe(person)


def test_of_the_key_are_noted_once(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    revoke_key(world.simulator.books, DEFAULT_API_KEY)
    for _ in range(3):
        world.settle()
        clock.shift(10)

    assert [entry.kind for entry in rows(Entry)].count("app.unauthorized") == 1


def test_of_the_encryption_key_are_tried_again(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.saves()
    connections = world.app.extensions["gangway.connections"]
    world.app.extensions["gangway.connections"] = apps.Connections(
        type(connections.sealer)(["x" * 43 + "="]), connections.dial
    )
    world.simulator.knobs.drop_all = True
    clock.shift(130)
    world.settle()
    assert person.payer.attempts == 1
    world.app.extensions["gangway.connections"] = connections

    clock.shift(3)
    world.settle()

    assert_equal_to_stripe(person)


def test_while_a_card_is_made_the_default_do_not_hide_what_the_dashboard_says_since(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.saves()
    world.simulator.faults.add("reset_after", "POST /v1/customers/*", times=10)
    world.settle()
    world.simulator.faults.clear()
    chosen = world.attach_card(person)
    world.choose_default(person, chosen)

    clock.shift(10)
    world.settle()

    assert_equal_to_stripe(person)
