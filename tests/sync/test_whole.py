"""A full convergence asks about everything. One that succeeds leaves nothing behind."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask

from app import payers, sync, webhooks
from app.core import db
from app.core.db import utcnow
from app.payers import PaymentStatus
from app.sync import payer_leases
from app.sync.convergence.converge import converge
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_by_force_brings_methods_of_which_no_event_told(world: World, person: Person) -> None:
    person.save_card()
    world.settle()
    elsewhere = world.attach_card(person)
    world.lose_events()
    person.open_another_session()

    with world.app.app_context():
        assert sync.refresh(db.session(), person.payer.id, force=True)

    assert elsewhere in {method.id for method in person.methods}
    assert_agrees(person)


def test_keeps_more_methods_than_one_page_of_stripes_list(
    world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.settle()
    for _ in range(101):
        world.attach_card(person)
    world.settle()
    clock.shift(60)

    with world.app.app_context():
        assert sync.refresh(db.session(), person.payer.id, force=True)

    assert person.status == PaymentStatus.SAVED
    assert sum(method.detached_at is None for method in person.methods) == 102


def test_nobody_asks_about_a_payer_that_has_ended(app: Flask, world: World, person: Person) -> None:
    person.save_card()
    world.settle()
    payer_id = person.payer.id
    with app.app_context():
        session = db.session()
        ended = payers.fresh(session, payer_id)
        payers.unbind(session, ended.app_id, ended.customer, actor="test")
        session.commit()

        assert payer_leases.claim(session, payer_id) is None
        assert not sync.refresh(session, payer_id, force=True)


def test_what_an_event_wants_at_once_is_not_put_off_by_what_comes_later(
    app: Flask, world: World, person: Person
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    with app.app_context():
        webhooks.dispatch(db.session())
    due_at = person.payer.due_at

    person.open_another_session()

    assert due_at is not None
    assert due_at <= utcnow()
    assert person.payer.due_at == due_at


def test_events_that_wait_for_somebody_who_has_ended_are_closed(
    app: Flask, world: World, person: Person, rows: Rows
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    with app.app_context():
        session = db.session()
        webhooks.dispatch(session)
        ended = payers.fresh(session, person.payer.id)
        payers.unbind(session, ended.app_id, ended.customer, actor="test")
        session.commit()
    waiting = [event.id for event in rows(Event) if event.state == "waiting"]

    world.work()

    closed = {event.id: (event.state, event.reason) for event in rows(Event)}
    assert waiting
    assert {closed[id_] for id_ in waiting} == {("ignored", "Its customer was deleted or unbound here.")}


def test_a_hint_during_a_success_after_failures_does_not_wait_for_the_next_try(
    app: Flask, person: Person
) -> None:
    person.save_card()
    with app.app_context():
        session = db.session()
        payer = payers.fresh(session, person.payer.id)
        payer.attempts, payer.due_at = 11, utcnow() + timedelta(minutes=50)
        session.commit()
        lease = payer_leases.claim(session, payer.id)
        assert lease is not None
        payers.mark_due(session, payer.id, at=utcnow())
        session.commit()

        converge(session, lease)

        due_at = payers.fresh(session, payer.id).due_at
        assert due_at is not None
        assert due_at <= utcnow()


def test_that_succeeds_ends_the_events_that_were_given_up(world: World, person: Person, rows: Rows) -> None:
    person.save_card()
    world.simulator.deliver_due()
    world.work()
    with world.app.app_context():
        session = db.session()
        for event in session.scalars(sa.select(Event)):
            event.state, event.reason, event.payer_id = "dead", "It failed.", person.payer.id
        session.commit()

        assert sync.refresh(session, person.payer.id, force=True)

    assert {event.state for event in rows(Event)} == {"done"}
