"""The backlog counts events that a worker could have dealt with. Alerts read it; readiness does not."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, Response, request
from flask.testing import FlaskClient

from app import webhooks
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.gateway.client import NETWORK_RETRIES
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator, revoke_key
from app.sync import RateBudget
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support import postgres
from tests.support.numbers import read
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

TRIES = 1 + NETWORK_RETRIES  # of one call that gets no answer


@pytest.fixture
def settings(database_url: str) -> Settings:
    """An event is backlog early here."""
    return make_settings(database_url=database_url, backlog_minutes=5)


@pytest.fixture
def garbled(simulator: Simulator) -> list[str]:
    """The methods (GET) of the calls that Stripe answers in a way that we do not understand."""
    methods: list[str] = []

    @simulator.wsgi.after_request
    def _change(answer: Response) -> Response:
        if request.method in methods:
            answer.set_data("[]")
        return answer

    return methods


def backlog(client: FlaskClient) -> int:
    """Return what the alert about a backlog reads."""
    return int(read(client.get("/metrics").get_data(as_text=True))["gangway_backlog_events"])


def test_leaves_the_portal_ready(
    client: FlaskClient, postbox: Postbox, clock: time_machine.Traveller, server: postgres.Server | None
) -> None:
    if server is not None:
        pytest.skip("PostgreSQL has its own clock, which no test can move")
    for number in range(3):
        postbox.post(event(id=f"evt_{number}"))
    clock.shift(timedelta(minutes=6))

    assert backlog(client) == 3
    assert client.get("/readyz").status_code == 200


def test_leaves_out_what_is_young(
    client: FlaskClient, postbox: Postbox, clock: time_machine.Traveller
) -> None:
    for number in range(5):
        postbox.post(event(id=f"evt_{number}"))
    clock.shift(timedelta(minutes=4))

    assert backlog(client) == 0


def test_counts_what_waits_long_until_a_worker_runs(
    app: Flask, client: FlaskClient, postbox: Postbox, clock: time_machine.Traveller, world: World
) -> None:
    for number in range(3):
        postbox.post(event(id=f"evt_{number}"))
    clock.shift(timedelta(minutes=6))

    before = backlog(client)
    world.work()

    assert before > 0
    assert backlog(client) == 0


def test_counts_those_whose_turn_it_was(
    client: FlaskClient, world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    write(world.app, sa.update(Event).values(state="waiting", payer_id=person.payer.id))
    write(world.app, sa.update(Payer).values(due_at=utcnow()))
    clock.shift(timedelta(minutes=6))

    assert backlog(client) > 0


@pytest.mark.parametrize(
    "trouble",
    [
        lambda simulator: simulator.faults.add("500", "GET *", times=10_000),
        lambda simulator: revoke_key(simulator.store, DEFAULT_API_KEY),
    ],
    ids=["away", "rejects the key"],
)
def test_leaves_out_what_waits_for_stripe(
    trouble: Callable[[Simulator], None],
    client: FlaskClient,
    world: World,
    clock: time_machine.Traveller,
    rows: Rows,
) -> None:
    people = [world.person() for _ in range(6)]  # most are not even tried: the app pauses
    trouble(world.simulator)
    for person in people:
        person.save_card()
    for _ in range(20):
        world.settle()
        clock.shift(59)

    states = [event.state for event in rows(Event)]

    assert states.count("waiting") > 2
    assert backlog(client) == 0


def test_counts_when_no_worker_continues_after_a_failure(
    client: FlaskClient, world: World, clock: time_machine.Traveller
) -> None:
    unlucky = world.person()
    unlucky.save_card()
    world.simulator.faults.add("503", "GET *", times=TRIES)
    world.settle()
    person = world.person()
    person.save_card()
    world.simulator.deliver_due()
    with world.app.app_context():
        webhooks.dispatch(db.session())

    clock.shift(timedelta(minutes=6))

    assert unlucky.payer.attempts == 1
    assert backlog(client) > 0


def test_counts_while_tries_fail_though_stripe_answers(
    garbled: list[str],
    client: FlaskClient,
    world: World,
    person: Person,
    clock: time_machine.Traveller,
    rows: Rows,
) -> None:
    person.save_card()
    garbled.append("GET")
    while person.payer.attempts < 10:
        world.settle()
        clock.shift(60)

    payer, [pace] = person.payer, rows(RateBudget)
    told = backlog(client)
    garbled.clear()
    clock.shift(timedelta(hours=1))
    world.settle()

    assert payer.due_at is not None
    assert payer.due_at > utcnow() - timedelta(hours=1)  # the next try was not due yet
    assert pace.paused_until is None
    assert told > 0
    assert backlog(client) == 0


def test_leaves_out_what_only_an_operator_can_help(
    client: FlaskClient, world: World, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    write(world.app, sa.update(Event).values(state="dead", payer_id=person.payer.id))
    clock.shift(timedelta(minutes=6))

    assert len(rows(Event)) > 2
    assert backlog(client) == 0


def test_leaves_out_those_who_were_deleted(
    client: FlaskClient, world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    payer_id = person.payer.id
    write(world.app, sa.update(Event).values(state="waiting", payer_id=payer_id))
    clock.shift(timedelta(minutes=6))
    before = backlog(client)

    write(world.app, sa.update(Payer).values(deleted_at=utcnow()))

    assert before > 0
    assert backlog(client) == 0


def write(app: Flask, statement: sa.Executable) -> None:
    with app.app_context():
        db.session().execute(statement)
        db.session().commit()
