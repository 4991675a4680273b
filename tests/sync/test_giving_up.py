"""After many failures a payer is left to a person, who sees why. A new event, a visit or an operator starts
it again."""

import pytest
import time_machine
from flask import Flask

from app import payers
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.simulator import DEFAULT_API_KEY, add_key, revoke_key
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_failures import MAX_ATTEMPTS, wait_of
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_that_do_not_end_are_left_to_a_person(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows, calls: StripeCalls
) -> None:
    person.save_card()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MAX_ATTEMPTS):
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
    person.save_card()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MAX_ATTEMPTS):
        world.settle()
        clock.shift(3601)
    world.simulator.faults.clear()

    world.simulator.replay_event(
        next(found.id for found in rows(Event) if found.type == "setup_intent.succeeded")
    )
    world.settle()

    assert person.payer.attempts == 0
    assert {found.state for found in rows(Event) if found.type == "setup_intent.succeeded"} == {"done"}
    assert_agrees(person)


def test_that_were_given_up_are_taken_up_again_when_the_person_returns(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.save_card()
    world.simulator.faults.add("429", "GET *", times=1000)
    for _ in range(MAX_ATTEMPTS):
        world.settle()
        clock.shift(3601)
    world.simulator.faults.clear()

    person.return_to_portal()

    assert_agrees(person)


def test_given_up_in_the_very_moment_of_an_event_do_not_lose_it(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.return_to_portal()
    world.simulator.faults.add("429", "GET *", times=1000)
    person.save_card("4000000000000002")
    while person.payer.attempts < MAX_ATTEMPTS - 1:
        world.settle()
        clock.shift(3601)

    def card_is_saved_meanwhile() -> None:
        person.save_card()
        world.simulator.faults.clear()
        world.simulator.faults.add("429", "GET *")
        world.settle()

    calls.before("GET *", card_is_saved_meanwhile)
    world.settle()
    clock.shift(3601)
    world.settle()

    assert_agrees(person)


def test_are_repeated_at_once_when_an_operator_begins_afresh(
    clock: time_machine.Traveller, world: World, person: Person, app: Flask
) -> None:
    person.save_card()
    world.simulator.faults.add("429", "GET *", times=1000)
    while person.payer.attempts < 8:
        world.settle()
        clock.shift(wait_of(person).total_seconds())
    world.simulator.faults.clear()
    clock.shift(-100)

    with app.app_context():
        payers.mark_due(db.session(), person.payer.id, at=utcnow(), afresh=True)
        db.session().commit()
    clock.shift(40)  # beyond the pause of the whole app
    world.settle()

    assert_agrees(person)


def test_of_the_key_give_nobody_up(
    clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    revoke_key(world.simulator.store, DEFAULT_API_KEY)
    for _ in range(3 * MAX_ATTEMPTS):
        world.settle()
        clock.shift(3601)
    add_key(world.simulator.store, DEFAULT_API_KEY)

    world.settle()

    assert "dead" not in {found.state for found in rows(Event)}
    assert_agrees(person)


class TestWithFewerTries:
    """How many tries there are is the installation's choice."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, max_attempts=2)

    def test_are_left_to_a_person_sooner(
        self, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
    ) -> None:
        person.save_card()
        world.simulator.faults.add("429", "GET *", times=1000)

        for _ in range(2):
            world.settle()
            clock.shift(10)

        assert person.payer.due_at is None
        assert {found.state for found in rows(Event)} == {"dead"}
