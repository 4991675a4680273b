"""Backfill finds in Stripe's list of events what no webhook brought. It reads on where it stopped, with an
overlap, because Stripe may list an event late."""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import time_machine

from app import sync
from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_backfill import INTERVAL, LIST, is_priority, looks, many, row
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_finds_what_was_never_delivered(world: World, person: Person, rows: Rows) -> None:
    person.save_card()

    world.run_maintenance()
    world.work()

    assert_agrees(person)
    assert {(found.origin, found.state) for found in rows(Event)} == {("backfill", "done")}
    assert row(rows).found == len(rows(Event)) >= 3
    assert row(rows).last_run_at is not None


def test_finds_the_first_events_though_our_clock_is_ahead(world: World, person: Person) -> None:
    with world.app.app_context():
        ahead = utcnow() + timedelta(minutes=30)
        db.session().execute(sa.update(App).values(created_at=ahead))
        db.session().commit()
    person.save_card()

    world.run_maintenance()
    world.work()

    assert_agrees(person)


def test_finds_nothing_new_in_what_was_delivered(world: World, person: Person, rows: Rows) -> None:
    world.simulator.fault_settings.drop_all = False
    person.save_card()
    world.settle()
    events = len(rows(Event))

    world.run_maintenance()

    assert (row(rows).found, row(rows).last_error) == (0, None)
    assert row(rows).last_run_at is not None
    assert len(rows(Event)) == events
    assert {found.origin for found in rows(Event)} == {"webhook"}


def test_of_an_event_that_is_only_late_is_not_its_origin(world: World, person: Person, rows: Rows) -> None:
    world.simulator.fault_settings.drop_all = False
    world.simulator.fault_settings.hold = True
    person.save_card()
    world.run_maintenance()
    world.work()

    world.simulator.release()
    world.settle()

    assert {(found.origin, found.state) for found in rows(Event)} == {("webhook", "done")}


def test_comes_at_its_interval(
    world: World, person: Person, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    world.run_maintenance()
    calls.clear()

    clock.shift(INTERVAL * 0.8)
    world.run_maintenance()
    before = list(calls.made)
    clock.shift(INTERVAL * 0.3)
    world.run_maintenance()

    assert before == []
    assert calls.made == [LIST]


def test_reads_on_where_it_was_but_for_the_overlap(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.run_maintenance()
    cursor = row(rows).cursor
    assert cursor is not None
    clock.shift(86400)

    seen = looks(world.app)

    assert cursor == datetime.fromtimestamp(
        max(event["created"] for event in world.simulator.store.events.snapshot()), UTC
    )
    assert seen.listed == 3  # those of the overlap, again
    clock.shift(86400)
    world.attach_card(person)
    assert looks(world.app).listed == 4
    assert looks(world.app).listed == 1


def test_keeps_its_place_when_stripe_lists_nothing(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.run_maintenance()
    cursor = row(rows).cursor
    for found in world.simulator.store.events.snapshot():  # they are older than a month
        del world.simulator.store.events[found["id"]]

    clock.shift(INTERVAL + 1)
    world.run_maintenance()

    assert row(rows).cursor == cursor is not None


def test_finds_an_event_that_stripe_listed_later_than_younger_ones(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.save_card()
    clock.shift(200)
    late = {key: found for key, found in world.simulator.store.events.items() if "succeeded" in found["type"]}
    for key in late:
        del world.simulator.store.events[key]
    other = world.person()
    other.save_card()
    world.run_maintenance()
    for key, found in late.items():
        world.simulator.store.events[key] = found

    clock.shift(INTERVAL + 1)
    world.run_maintenance()

    assert set(late) <= {found.id for found in rows(Event)}


def test_goes_back_the_next_time_to_the_newest_event_of_all_its_pages(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    for _ in range(120):
        person.save_card("4000000000000002")
    clock.shift(60)
    person.save_card()
    newest = max(found["created"] for found in world.simulator.store.events.snapshot() if is_priority(found))

    world.run_maintenance()

    assert row(rows).cursor == datetime.fromtimestamp(newest, UTC)


def test_walks_through_many_pages(world: World, rows: Rows, calls: StripeCalls) -> None:
    person = many(world, 230)
    calls.clear()

    world.run_maintenance()
    world.work()

    assert calls.made.count(LIST) == 3
    assert row(rows).found == len(rows(Event)) > 200
    assert_agrees(person)


def test_sorts_and_converges_between_two_pages(world: World, rows: Rows) -> None:
    many(world, 230)

    with world.app.app_context():
        sync.run_maintenance(db.session())
        first = len(rows(Event))
        sync.run_until_idle()

    assert first == 100
    assert "new" not in {found.state for found in rows(Event)}
