"""Whether an installation is fit to serve."""

import socket
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask, Response, request
from flask.testing import FlaskClient

from app import create_app, db, webhooks
from app.config import Settings
from app.db import utcnow
from app.gateway.client import NETWORK_RETRIES
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator.accounts import revoke_key
from app.sync import Pace
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

TRIES = 1 + NETWORK_RETRIES  # of one call that gets no answer
SAID = ["More than 2 events have waited longer than 5 minutes. Is a worker running, and what does it log?"]
AWAY = ["The database does not answer."]


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A small backlog is too much here."""
    return make_settings(database_url=database_url, ready_backlog=2, ready_backlog_minutes=5)


@pytest.fixture
def silent_database() -> Iterator[str]:
    """The URL of a database whose server takes connections and says nothing, like one behind a dead proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"postgresql+psycopg://gangway:hunter2@127.0.0.1:{listening.getsockname()[1]}/gangway"


@pytest.fixture
def garbled(simulator: Simulator) -> list[str]:
    """The methods (GET) whose calls Stripe answers in a way that we do not understand."""
    methods: list[str] = []

    @simulator.wsgi.after_request
    def _change(answer: Response) -> Response:
        if request.method in methods:
            answer.set_data("[]")
        return answer

    return methods


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
    person.save_card()
    world.simulator.deliver_due()
    write(world.app, sa.update(Event).values(state="waiting", payer_id=person.payer.id))
    write(world.app, sa.update(Payer).values(due_at=utcnow()))
    clock.shift(timedelta(minutes=6))

    assert reasons(client) == SAID


@pytest.mark.parametrize(
    "trouble",
    [
        lambda simulator: simulator.faults.add("500", "GET *", times=10_000),
        lambda simulator: revoke_key(simulator.books, DEFAULT_API_KEY),
    ],
    ids=["away", "rejects the key"],
)
def test_is_told_while_stripe_does_not_serve_us(
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
    assert reasons(client) == []


def test_is_denied_when_no_worker_goes_on_after_a_failure(
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
        webhooks.sort(db.session())

    clock.shift(timedelta(minutes=6))

    assert unlucky.payer.attempts == 1
    assert reasons(client) == SAID


def test_is_denied_while_tries_fail_though_stripe_answers(
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

    payer, [pace] = person.payer, rows(Pace)
    told = reasons(client)
    garbled.clear()
    clock.shift(timedelta(hours=1))
    world.settle()

    assert payer.due_at is not None
    assert payer.due_at > utcnow() - timedelta(hours=1)  # the next try was not due yet
    assert pace.paused_until is None
    assert told == SAID
    assert reasons(client) == []


def test_is_told_of_events_that_only_an_operator_can_help(
    client: FlaskClient, world: World, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    write(world.app, sa.update(Event).values(state="dead", payer_id=person.payer.id))
    clock.shift(timedelta(minutes=6))

    assert len(rows(Event)) > 2
    assert reasons(client) == []


def test_is_told_while_only_those_wait_who_were_deleted(
    client: FlaskClient, world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    payer_id = person.payer.id
    write(world.app, sa.update(Event).values(state="waiting", payer_id=payer_id))
    clock.shift(timedelta(minutes=6))
    before = reasons(client)

    write(world.app, sa.update(Payer).values(deleted_at=utcnow()))

    assert before == SAID
    assert reasons(client) == []


@pytest.mark.parametrize("seconds", [2, 3600], ids=["given up", "stuck"])
def test_is_denied_soon_by_a_database_that_says_nothing(seconds: int, silent_database: str) -> None:
    url = f"{silent_database}?connect_timeout={seconds}"
    client = create_app(make_settings(database_url=url)).test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json() == {"status": "unavailable", "reasons": AWAY}
    assert client.get("/healthz").status_code == 200


def test_is_denied_while_the_database_is_stuck(client: FlaskClient, app: Flask) -> None:
    with app.app_context(), db.engine().connect() as other:
        if other.dialect.name != "postgresql":
            pytest.skip("on SQLite nothing can keep a reader waiting")
        other.execute(sa.text("LOCK TABLE event"))
        stuck = reasons(client)
        other.rollback()

    assert stuck == AWAY
    assert reasons(client) == []


def write(app: Flask, statement: sa.Executable) -> None:
    with app.app_context():
        db.session().execute(statement)
        db.session().commit()
