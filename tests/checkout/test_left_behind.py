"""No row stays behind that says what Stripe was asked to make, once it is recorded or given up."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.checkout.models import Expected
from app.core import db
from app.core.db import utcnow
from app.payers import Payer
from app.sync import worker
from tests.support.people import Person
from tests.support.portal import SignupPage
from tests.support.rows import Rows
from tests.support.tokens import program
from tests.support.world import World

MAKE = "POST /v1/customers"


@pytest.fixture
def abandoned(app: Flask, client: FlaskClient, world: World) -> None:
    """Somebody signed up while Stripe was away, and never came back."""
    world.simulator.faults.add("503", MAKE, times=9)
    assert SignupPage(client).submit().status_code == 503
    world.simulator.faults.clear()


def tidy(app: Flask) -> None:
    """What the worker does each hour."""
    with app.app_context():
        worker.purge(db.session())


def leave(app: Flask, person: Person, **contact: str) -> None:
    """Let a call have ended between asking and recording."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        payer = person.payer
        asked = {"first_asked_at": utcnow(), "last_asked_at": utcnow()}
        session.add(Expected(app_id=payer.app_id, customer_id=payer.customer_id, **asked, **contact))
        session.commit()


def test_who_may_come_back_is_expected(
    app: Flask, abandoned: None, clock: time_machine.Traveller, rows: Rows
) -> None:
    clock.shift(timedelta(days=2))
    tidy(app)

    assert len(rows(Expected)) == 1


def test_who_never_comes_back_leaves_nothing(
    app: Flask, abandoned: None, clock: time_machine.Traveller, rows: Rows
) -> None:
    clock.shift(timedelta(days=4))
    tidy(app)

    assert rows(Expected) == []


def test_what_is_recorded_by_now_leaves_nothing_and_stripe_is_told_what_is_stored(
    app: Flask, world: World, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    world.settle()
    world.stripe("POST", f"/v1/customers/{person.stripe_customer_id}", name="The other name")
    world.lose_events()
    leave(app, person, contact="")

    clock.shift(timedelta(hours=2))
    tidy(app)
    world.settle()

    assert rows(Expected) == []
    assert world.simulator.store.customers[person.stripe_customer_id]["name"] == "Ada Lovelace Ltd"


def test_the_next_call_removes_it(app: Flask, person: Person, world: World, rows: Rows) -> None:
    leave(app, person)

    person.open_another_session()

    assert rows(Expected) == []


def test_a_deleted_customer_leaves_nothing(
    app: Flask, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    leave(app, person)
    program(app).delete(f"/api/v1/customers/{person.payer.customer_id}")

    clock.shift(timedelta(hours=2))
    tidy(app)

    assert rows(Expected) == []
    assert [payer.is_contact_due for payer in rows(Payer)] == [False]
