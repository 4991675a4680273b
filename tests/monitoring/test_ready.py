"""Whether an installation is fit to serve."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import db, webhooks
from app.config import Settings
from app.db import utcnow
from app.gateway.client import NETWORK_RETRIES
from app.payers import Payer
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.stripe_postbox import Postbox, event
from tests.support.sync_people import Person, World

TRIES = 1 + NETWORK_RETRIES  # of one call that gets no answer
SAID = ["More than 2 events have waited longer than 5 minutes. Is a worker running?"]


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A small backlog is too much here."""
    return make_settings(database_url=database_url, ready_backlog=2, ready_backlog_minutes=5)


def reasons(client: FlaskClient) -> list[str]:
    answer = client.get("/readyz")
    assert answer.status_code == (503 if answer.get_json().get("reasons") else 200)
    return list(answer.get_json().get("reasons", []))


def test_is_told_while_few_events_wait(
    client: FlaskClient, postbox: Postbox, clock: time_machine.Traveller
) -> None:
    for number in range(2):
        postbox.post(event(id=f"evt_{number}"))
    clock.shift(timedelta(hours=1))

    assert reasons(client) == []


def test_is_told_while_many_events_are_young(
    client: FlaskClient, postbox: Postbox, clock: time_machine.Traveller
) -> None:
    for number in range(5):
        postbox.post(event(id=f"evt_{number}"))
    clock.shift(timedelta(minutes=4))

    assert reasons(client) == []


def test_is_denied_when_many_events_wait_long(
    app: Flask, client: FlaskClient, postbox: Postbox, clock: time_machine.Traveller, world: World
) -> None:
    for number in range(3):
        postbox.post(event(id=f"evt_{number}"))
    clock.shift(timedelta(minutes=6))

    before = reasons(client)
    world.work()

    assert before == SAID
    assert reasons(client) == []


def test_is_denied_when_those_wait_whose_turn_it_was(
    client: FlaskClient, world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.saves()
    world.simulator.deliver_due()
    with world.app.app_context():
        session = db.session()
        session.execute(sa.update(Event).values(state="waiting", payer_id=person.payer.id))
        session.execute(sa.update(Payer).values(due_at=utcnow()))
        session.commit()
    clock.shift(timedelta(minutes=6))

    assert reasons(client) == SAID


def test_is_told_while_stripe_is_away(
    client: FlaskClient, world: World, clock: time_machine.Traveller
) -> None:
    people = [world.person() for _ in range(6)]  # most are not even tried: the app pauses
    world.simulator.faults.add("500", "GET *", times=10_000)
    for person in people:
        person.saves()
    for _ in range(20):
        world.settle()
        clock.shift(59)

    waiting = [event.state for event in _events(world.app)]

    assert waiting.count("waiting") > 2
    assert reasons(client) == []


def test_is_denied_when_no_worker_goes_on_after_a_failure(
    client: FlaskClient, world: World, clock: time_machine.Traveller
) -> None:
    unlucky = world.person()
    unlucky.saves()
    world.simulator.faults.add("503", "GET *", times=TRIES)
    world.settle()
    person = world.person()
    person.saves()
    world.simulator.deliver_due()
    with world.app.app_context():
        webhooks.sort(db.session())

    clock.shift(timedelta(minutes=6))

    assert unlucky.payer.attempts == 1
    assert reasons(client) == SAID


def _events(app: Flask) -> list[Event]:
    with app.app_context():
        return list(db.session().scalars(sa.select(Event)))
