"""A payer that was given up after too many failures has all its tries again when anything is heard."""

from collections.abc import Callable

import pytest
import time_machine

from app import payers, sync, webhooks
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.payers import Payer
from app.sync import schedule
from app.sync.payer_leases import LEASE_DURATION
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
from tests.support.truth import assert_agrees
from tests.support.world import World

MAX_ATTEMPTS = 3


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A portal that gives up early."""
    return make_settings(database_url=database_url, max_attempts=MAX_ATTEMPTS)


@pytest.fixture
def given_up(clock: time_machine.Traveller, world: World, person: Person) -> Person:
    """A person who has saved a card, while Stripe has answered us with 429 only."""
    person.save_card()
    world.simulator.faults.add("429", "GET *", times=10_000)
    try_until_given_up(clock, world, person)
    assert person.payer.attempts == MAX_ATTEMPTS
    return person


def try_until_given_up(clock: time_machine.Traveller, world: World, person: Person) -> list[int]:
    """Work until nobody tries again; how many tries had failed, as that number grew."""
    counts: list[int] = []
    world.settle()
    while person.payer.due_at is not None:
        counts.append(person.payer.attempts)
        assert len(counts) <= 10 * MAX_ATTEMPTS
        clock.shift(3601)
        world.settle()
    return sorted({*counts, person.payer.attempts} - {0})


def stripe_sends_an_event_again(world: World, person: Person) -> None:
    events = world.simulator.store.events
    world.simulator.replay_event(
        next(key for key, event in events.items() if event["type"] == "setup_intent.succeeded")
    )


def stripe_sends_another_event(world: World, person: Person) -> None:
    world.attach_card(person)


def the_clock_asks(world: World, person: Person) -> None:
    with world.app.app_context():
        schedule.check_within(db.session(), person.payer.id, schedule.YOUNG_SESSION_AGE * 0, why="verify")
        db.session().commit()


def an_operator_asks(world: World, person: Person) -> None:
    with world.app.app_context():
        payers.mark_due(db.session(), person.payer.id, at=utcnow(), afresh=True)
        db.session().commit()


def an_operator_retries_all_failed_events(world: World, person: Person) -> None:
    with world.app.app_context():
        webhooks.retry_all_failed(db.session(), actor="test")
        db.session().commit()


def another_checkout_session_is_opened(world: World, person: Person) -> None:
    person.open_another_session()


HINTS = [
    stripe_sends_an_event_again,
    stripe_sends_another_event,
    the_clock_asks,
    an_operator_asks,
    an_operator_retries_all_failed_events,
    another_checkout_session_is_opened,
]


@pytest.mark.parametrize("hint", HINTS)
def test_has_all_its_tries_again(
    hint: Callable[[World, Person], None], clock: time_machine.Traveller, world: World, given_up: Person
) -> None:
    hint(world, given_up)

    assert try_until_given_up(clock, world, given_up) == list(range(1, MAX_ATTEMPTS + 1))


@pytest.mark.parametrize("hint", HINTS)
def test_has_no_dead_event_left_once_it_succeeds(
    hint: Callable[[World, Person], None],
    clock: time_machine.Traveller,
    world: World,
    given_up: Person,
    rows: Rows,
) -> None:
    assert {event.state for event in rows(Event)} == {"dead"}
    world.simulator.faults.clear()

    hint(world, given_up)
    for _ in range(2):
        clock.shift(130)
        world.settle()

    assert {event.state for event in rows(Event)} == {"done"}
    assert (given_up.payer.attempts, given_up.payer.last_error) == (0, None)
    assert_agrees(given_up)


def test_has_no_dead_event_left_when_the_person_returns(world: World, given_up: Person, rows: Rows) -> None:
    world.simulator.faults.clear()

    given_up.return_to_portal()

    assert {event.state for event in rows(Event)} == {"done"}


def test_keeps_its_failed_events_when_another_tells_nothing_new(
    clock: time_machine.Traveller,
    world: World,
    given_up: Person,
    postbox: Postbox,
    calls: StripeCalls,
    rows: Rows,
) -> None:
    failed = {found.id for found in rows(Event)}
    elsewhere = {"id": "seti_elsewhere", "object": "setup_intent", "customer": given_up.stripe_customer_id}
    world.simulator.faults.clear()
    clock.shift(3601)  # the pause that Stripe has asked for is over
    with world.app.app_context():
        assert sync.claim(db.session(), given_up.payer.id)  # so the event is judged when this lease has ended
    tells = elsewhere | {"status": "requires_payment_method"}
    postbox.post(event("setup_intent.setup_failed", tells, id="evt_known"))
    world.work()
    clock.shift(LEASE_DURATION)
    calls.clear()

    world.work()

    assert calls.made == []
    assert [found.state for found in rows(Event) if found.id == "evt_known"] == ["done"]
    assert {found.id for found in rows(Event) if found.state == "dead"} == failed


def test_is_not_tried_again_because_of_another_payer(
    clock: time_machine.Traveller, world: World, given_up: Person, rows: Rows, calls: StripeCalls
) -> None:
    other = world.person()
    calls.clear()

    other.save_card()
    clock.shift(60)
    world.settle()

    assert not [call for call in calls.made if given_up.session_id in call]
    assert given_up.payer.attempts == MAX_ATTEMPTS
    assert len(rows(Payer)) == 2
