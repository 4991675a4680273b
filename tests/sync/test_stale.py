"""Reading an old record asks Stripe about it in the background, and says how old it is."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import utcnow
from tests.support.console_customer import look, section
from tests.support.people import Person
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program
from tests.support.world import World

CHECKED_AT = "Gangway-Checked-At"


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A program that may do everything."""
    return program(app)


@pytest.fixture
def outdated(world: World, person: Person, clock: time_machine.Traveller) -> Person:
    """Somebody who lost a card at Stripe five minutes ago, and its event."""
    person.save_card()
    world.settle()
    for method in person.methods:
        world.simulator.detach_payment_method(method.id)
    world.lose_events()
    clock.shift(300)
    return person


def path_of(person: Person, what: str = "stripe") -> str:
    return f"/api/v1/customers/{person.payer.customer_id}/{what}"


@pytest.mark.parametrize("what", ["stripe", "apps"])
def test_a_program_gets_the_truth_a_moment_later(
    what: str, outdated: Person, api: FlaskClient, world: World
) -> None:
    before = api.get(path_of(outdated, what))
    world.work()
    after = api.get(path_of(outdated, what))

    assert "stripeDefaultPaymentMethodId" in before.get_data(as_text=True)
    assert "stripeDefaultPaymentMethodId" not in after.get_data(as_text=True)
    age = utcnow() - datetime.fromisoformat(before.headers[CHECKED_AT])
    assert age >= timedelta(minutes=5)
    assert before.headers[CHECKED_AT] < after.headers[CHECKED_AT]


def test_the_consoles_page_says_when_it_was_checked(outdated: Person, app: Flask, world: World) -> None:
    before = section(look(outdated, app), "Payment method").text
    world.work()
    after = section(look(outdated, app), "Payment method").text

    assert "Saved" in before
    assert "Checked 5 minutes ago" in before
    assert "Checking with Stripe again" in before
    assert "Removed" in after
    assert "asking Stripe again" not in after


def test_many_reads_cause_one_check(
    outdated: Person, api: FlaskClient, app: Flask, world: World, calls: StripeCalls
) -> None:
    generation = outdated.payer.generation
    for _ in range(5):
        api.get(path_of(outdated))
    look(outdated, app)

    assert outdated.payer.generation == generation + 1

    calls.clear()
    world.work()
    asked = len(calls.made)
    for _ in range(5):
        api.get(path_of(outdated))
    world.work()

    assert asked == len(calls.made) > 0  # fresh for a minute


def test_a_fresh_record_is_not_asked_about(
    world: World, person: Person, api: FlaskClient, calls: StripeCalls
) -> None:
    person.save_card()
    world.settle()
    calls.clear()

    api.get(path_of(person))
    world.work()

    assert calls.made == []


def test_failed_tries_keep_their_pace(outdated: Person, api: FlaskClient, world: World) -> None:
    world.simulator.faults.add("503", "GET /v1/*", times=50)
    api.get(path_of(outdated))
    world.work()
    due_at, attempts = outdated.payer.due_at, outdated.payer.attempts

    api.get(path_of(outdated))

    assert attempts > 0
    assert (outdated.payer.due_at, outdated.payer.attempts) == (due_at, attempts)


def test_what_was_never_checked_has_no_time(person: Person, api: FlaskClient) -> None:
    assert CHECKED_AT not in api.get(path_of(person)).headers
