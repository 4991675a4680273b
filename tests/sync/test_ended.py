"""A payer that has ended is asked about no more: its Stripe customer may be another customer's by now."""

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app import payers, sync
from app.core import db
from app.core.db import utcnow
from app.payers import Payer
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program
from tests.support.world import World


@pytest.fixture
def ended(app: Flask, world: World, person: Person, calls: StripeCalls) -> Person:
    """A person who has saved a card and was deleted here."""
    person.save_card()
    world.settle()
    assert program(app).delete(f"/api/v1/customers/{person.payer.customer_id}").status_code == 204
    calls.clear()
    return person


def test_is_leased_to_nobody(app: Flask, ended: Person) -> None:
    with app.app_context():
        assert sync.claim(db.session(), ended.payer.id) is None

    assert ended.payer.lease is None


def test_is_leased_to_nobody_even_if_it_is_due(app: Flask, ended: Person) -> None:
    """As when it ends after a worker found it due and before the worker takes it."""
    with app.app_context():
        session = db.session()
        session.execute(sa.update(Payer).values(due_at=utcnow()))
        session.commit()

        assert sync.claim_due(session, most=1) == []


def test_is_due_no_more(app: Flask, person: Person) -> None:
    assert person.payer.due_at is not None

    program(app).delete(f"/api/v1/customers/{person.payer.customer_id}")

    assert person.payer.due_at is None


def test_is_not_refreshed_by_force(app: Flask, ended: Person, calls: StripeCalls) -> None:
    with app.app_context():
        assert sync.refresh(db.session(), ended.payer.id, force=True) is False

    assert calls.made == []


def test_becomes_due_by_nothing(app: Flask, ended: Person) -> None:
    with app.app_context():
        payers.mark_due(db.session(), ended.payer.id, at=utcnow(), afresh=True)
        db.session().commit()

    assert ended.payer.due_at is None


def test_is_not_asked_about_when_something_happens_or_time_passes(
    clock: time_machine.Traveller, world: World, ended: Person, calls: StripeCalls
) -> None:
    world.attach_card(ended)
    world.simulator.delete_customer(ended.stripe_customer_id)
    calls.clear()

    for _ in range(4):
        clock.shift(86400 * 5)
        world.settle()
        world.run_maintenance()

    assert not [call for call in calls.made if ended.stripe_customer_id in call or ended.session_id in call]
    assert (ended.payer.stripe_deleted_at, ended.payer.drift) == (None, None)


def test_says_nothing_of_the_time_that_passes(
    clock: time_machine.Traveller, world: World, ended: Person, rows: Rows
) -> None:
    [before] = rows(Payer)
    clock.shift(86400 * 365 * 20)

    world.work()

    [after] = rows(Payer)
    assert (after.status, after.status_until) == (before.status, before.status_until)


def test_that_ends_while_stripe_is_asked_is_not_written(
    app: Flask, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    api = f"/api/v1/customers/{person.payer.customer_id}"
    calls.before("GET /v1/checkout/sessions/*", lambda: program(app).delete(api))

    person.return_to_portal()

    assert person.payer.deleted_at is not None
    assert person.methods == []
