"""Quiet customers are compared with Stripe now and then, and differences are reported."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app import sync
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.payers import Payer, PaymentStatus
from app.sync import RateBudget, payer_leases
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World

MINUTE = timedelta(minutes=1, seconds=1)


def drifts(rows: Rows) -> list[str]:
    """What the audit log says that timers found."""
    return [entry.facts["found"] for entry in rows(Entry) if entry.kind == "sync.drift"]


def settled(world: World) -> Person:
    """Somebody with a saved card, and nothing left to happen."""
    person = world.person()
    person.save_card()
    world.settle()
    return person


def lives_through(world: World, clock: time_machine.Traveller, days: float) -> None:
    """Days pass, and the worker does what it should."""
    for _ in range(int(days * 4)):
        clock.shift(timedelta(hours=6))
        world.run_maintenance()
        clock.shift(MINUTE)
        world.work()


def test_a_change_of_which_no_event_came_is_found_within_the_days(
    world: World, clock: time_machine.Traveller
) -> None:
    person = settled(world)
    world.simulator.detach_payment_method(str(person.stripe_default))
    forget_events(world)

    lives_through(world, clock, 8)

    assert person.status == PaymentStatus.REMOVED
    assert_agrees(person)


def test_nobody_is_compared_before_it_is_time(
    world: World, clock: time_machine.Traveller, calls: StripeCalls
) -> None:
    settled(world)
    calls.clear()

    lives_through(world, clock, 6)

    assert set(calls.made) == {"GET /v1/events"}


def test_many_are_spread_and_never_the_same_at_once(
    app: Flask, world: World, clock: time_machine.Traveller, rows: Rows
) -> None:
    people = [settled(world) for _ in range(3)]
    with app.app_context():
        db.session().execute(sa.text("UPDATE payer SET verify_at = '1970-01-01 00:00:00.000000'"))
        db.session().commit()

    world.run_maintenance()
    world.run_maintenance()

    due = {payer.due_at for payer in rows(Payer)}
    assert len(due) == len(people)
    assert all(at is not None and at <= utcnow() + MINUTE for at in due)
    assert {payer.due_reason for payer in rows(Payer)} == {"verify"}


def test_a_few_are_chosen_each_minute_whoever_looks(
    app: Flask, world: World, clock: time_machine.Traveller, rows: Rows
) -> None:
    person, other = settled(world), settled(world)
    overdue(app, person)
    world.run_maintenance()
    overdue(app, other)

    world.run_maintenance()
    at_once = other.payer.due_at
    clock.shift(MINUTE)
    world.run_maintenance()

    assert at_once is None
    assert other.payer.due_at is not None


def test_who_is_gone_is_not_compared(
    app: Flask, world: World, clock: time_machine.Traveller, calls: StripeCalls
) -> None:
    person = settled(world)
    world.simulator.delete_customer(person.stripe_customer_id)
    world.settle()
    overdue(app, person)
    calls.clear()

    lives_through(world, clock, 1)

    assert set(calls.made) <= {"GET /v1/events"}


def test_who_was_given_up_is_tried_again(
    app: Flask, world: World, person: Person, clock: time_machine.Traveller
) -> None:
    person.save_card()
    with app.app_context():
        db.session().execute(sa.text("UPDATE payer SET attempts = 15, due_at = NULL"))
        db.session().commit()

    lives_through(world, clock, 2)

    assert_agrees(person)


def test_who_is_looked_at_anyway_is_not_chosen(app: Flask, world: World, person: Person) -> None:
    overdue(app, person)
    before = (person.payer.due_at, person.payer.due_reason)

    world.run_maintenance()

    assert (person.payer.due_at, person.payer.due_reason) == before


def test_who_was_given_up_again_is_left_alone_for_a_day(
    app: Flask, world: World, clock: time_machine.Traveller
) -> None:
    person = settled(world)
    overdue(app, person)
    world.run_maintenance()
    with app.app_context():
        db.session().execute(sa.text("UPDATE payer SET attempts = 15, due_at = NULL, due_reason = NULL"))
        db.session().commit()

    clock.shift(timedelta(hours=23))
    world.run_maintenance()
    before_a_day = person.payer.due_at
    clock.shift(timedelta(hours=1))
    world.run_maintenance()

    assert before_a_day is None
    assert person.payer.due_reason == "verify"


def test_what_a_timer_found_is_told_when_no_event_comes(
    app: Flask, world: World, clock: time_machine.Traveller, rows: Rows
) -> None:
    person = settled(world)
    world.simulator.detach_payment_method(str(person.stripe_default))
    forget_events(world)
    overdue(app, person)

    lives_through(world, clock, 1)

    assert drifts(rows) == ["payment_method.removed, default_method.changed"]
    assert [pace.drifts for pace in rows(RateBudget)] == [1]
    assert person.payer.drift is None


def test_what_the_event_was_only_late_for_is_not(
    world: World, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    world.simulator.fault_settings.hold = True
    person.save_card()
    clock.shift(121)
    world.work()
    found = person.payer.drift

    world.simulator.release()
    world.settle()
    lives_through(world, clock, 1)

    assert found is not None
    assert drifts(rows) == []


def test_what_a_timer_found_is_not_told_while_its_event_may_be_on_its_way(
    world: World, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    world.run_maintenance()
    world.simulator.fault_settings.hold = True
    person.save_card()
    clock.shift(121)
    world.work()
    found = person.payer.drift

    clock.shift(timedelta(minutes=4))
    world.run_maintenance()

    assert found is not None
    assert drifts(rows) == []


def test_what_a_person_or_an_event_found_is_not(
    world: World, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    person.save_card()
    world.settle()
    other = world.person()
    other.save_card()
    forget_events(world)
    other.return_to_portal()

    lives_through(world, clock, 1)

    assert drifts(rows) == []


def test_what_was_found_together_with_its_event_is_not(
    app: Flask, world: World, clock: time_machine.Traveller, rows: Rows
) -> None:
    person = settled(world)
    overdue(app, person)
    world.run_maintenance()
    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()

    lives_through(world, clock, 1)

    assert person.status == PaymentStatus.REMOVED
    assert drifts(rows) == []


def found_before_the_list(
    app: Flask, world: World, clock: time_machine.Traveller, *, is_lost: bool
) -> str | None:
    """A timer finds that a card was removed, then the list reports it. Return what was found."""
    person = settled(world)
    world.run_maintenance()
    clock.shift(timedelta(minutes=12))
    world.simulator.detach_payment_method(str(person.stripe_default))
    if is_lost:
        world.lose_events()
    overdue(app, person)
    world.run_maintenance()
    clock.shift(MINUTE)
    world.work()
    found = person.payer.drift
    clock.shift(timedelta(minutes=3))
    world.run_maintenance()
    world.work()
    return found


def test_what_no_webhook_told_is_though_the_list_reports_it(
    app: Flask, world: World, clock: time_machine.Traveller, rows: Rows
) -> None:
    found = found_before_the_list(app, world, clock, is_lost=True)

    lives_through(world, clock, 1)

    assert found is not None
    assert {event.origin for event in rows(Event) if event.type == "payment_method.detached"} == {"backfill"}
    assert drifts(rows) == [found]


def test_what_a_late_webhook_told_after_the_list_is_not(
    app: Flask, world: World, clock: time_machine.Traveller, rows: Rows
) -> None:
    found = found_before_the_list(app, world, clock, is_lost=False)

    world.simulator.deliver_due()
    lives_through(world, clock, 1)

    assert found is not None
    assert drifts(rows) == []


class TestWithoutWebhooks:
    """Timers are how it is found out then."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, webhooks="off")

    def test_what_a_timer_found_is_not_told(
        self, world: World, clock: time_machine.Traveller, rows: Rows
    ) -> None:
        person = world.person()
        person.save_card()
        forget_events(world)
        clock.shift(121)
        world.work()

        lives_through(world, clock, 1)

        assert person.status == PaymentStatus.SAVED
        assert drifts(rows) == []


def test_several_finds_of_one_outage_are_told_as_one(
    app: Flask, world: World, person: Person, clock: time_machine.Traveller, rows: Rows
) -> None:
    person.save_card("4000000000000002")
    forget_events(world)
    clock.shift(121)
    world.work()
    person.save_card()
    forget_events(world)
    clock.shift(121)
    world.work()

    clock.shift(timedelta(minutes=6))
    world.run_maintenance()

    assert drifts(rows) == [
        "setup.failed, setup.succeeded, payment_method.saved, default_method.changed",
    ]


def overdue(app: Flask, person: Person) -> None:
    """Let it be long since Stripe was asked about somebody."""
    payer_id = person.payer.id
    with app.app_context():
        moment = utcnow() - timedelta(seconds=1)
        db.session().execute(sa.update(Payer).where(Payer.id == payer_id).values(verify_at=moment))
        db.session().commit()


def forget_events(world: World) -> None:
    """What happened so far is neither delivered nor listed."""
    world.lose_events()
    for found in world.simulator.store.events.snapshot():
        del world.simulator.store.events[found["id"]]


def test_who_is_to_be_compared_is_compared_though_the_events_tell_nothing_new(
    app: Flask, world: World, clock: time_machine.Traveller, calls: StripeCalls
) -> None:
    """An event that was dispatched during another convergence must not count as its answer."""
    person = settled(world)
    other = world.attach_card(person)
    forget_events(world)
    overdue(app, person)
    world.run_maintenance()
    world.choose_default(person, str(person.stripe_default))
    world.stripe("POST", f"/v1/customers/{person.stripe_customer_id}", description="Nothing that we keep")
    with app.app_context():
        lease = sync.claim(db.session(), person.payer.id)
        world.simulator.deliver_due()
        sync.run_until_idle()
        assert lease is not None
        payer_leases.release(db.session(), lease)

    clock.shift(MINUTE)
    world.settle()

    assert other in {method.id for method in person.methods}
