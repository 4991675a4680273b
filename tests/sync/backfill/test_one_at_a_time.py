"""One worker at a time reads the list for an app. A worker that is killed or too slow leaves its place to a
successor, and changes nothing behind the successor's back."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine

from app import sync
from app.core import db
from app.core.db import utcnow
from app.core.errors import Conflict
from app.gateway import StripeUnavailable
from app.sync import Backfill
from app.sync.backfill import claim_list, release_list
from app.webhooks import Event
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_backfill import LEASE_DURATION, LIST, looks, many, row
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_continues_where_it_was_killed(
    world: World, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    """Two pages are stored; the third was asked for by somebody who was never heard of again."""
    person = many(world, 230)
    cursor_before = None
    with world.app.app_context():
        for _ in range(2):
            sync.run_maintenance(db.session())
        cursor_before = row(rows).cursor
        session = db.session()
        session.execute(
            sa.update(Backfill).values(
                lease="killed", leased_until=utcnow() + timedelta(seconds=LEASE_DURATION)
            )
        )
        session.commit()
    world.run_maintenance()
    held = len(rows(Event))
    calls.clear()

    clock.shift(LEASE_DURATION + 1)
    world.run_maintenance()
    world.work()

    assert cursor_before is None
    assert held == 200
    assert calls.made.count(LIST) == 1
    assert row(rows).cursor is not None
    assert_agrees(person)


def test_is_done_by_one_at_a_time(world: World, person: Person, calls: StripeCalls) -> None:
    refused: list[Conflict] = []

    def another_begins() -> None:
        with pytest.raises(Conflict) as caught:
            looks(world.app)
        refused.append(caught.value)
        world.run_maintenance()

    calls.before(LIST, another_begins)
    looks(world.app)

    assert len(refused) == 1
    assert calls.made.count(LIST) == 1


def test_is_done_by_one_however_long_its_pages_take(
    world: World, calls: StripeCalls, rows: Rows, clock: time_machine.Traveller
) -> None:
    many(world, 130)

    def takes_long() -> None:
        clock.shift(LEASE_DURATION - 20)
        with pytest.raises(Conflict):
            looks(world.app)

    calls.before(LIST, takes_long)
    calls.after(LIST, lambda: calls.before(LIST, takes_long))
    looks(world.app)

    assert row(rows).last_error is None
    assert row(rows).found == len(rows(Event))


def test_is_done_once_however_many_workers_there_are(world: World, calls: StripeCalls, rows: Rows) -> None:
    many(world, 130)
    calls.clear()
    together = threading.Barrier(6)

    def tends() -> None:
        together.wait()
        world.run_maintenance()

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(tends) for _ in range(6)]:
            future.result()
    world.run_maintenance()

    assert calls.made.count(LIST) == 2
    assert row(rows).found == len(rows(Event))


def test_is_not_begun_again_by_whoever_has_only_seen_that_it_was_due(
    world: World, person: Person, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    clock.shift(121)
    world.work()
    others: list[None] = []

    def another_reads_it(_connection: sa.Connection) -> None:
        if not others:
            others.append(None)
            with ThreadPoolExecutor(1) as thread:
                thread.submit(world.run_maintenance).result()

    with world.app.app_context():
        sa.event.listen(db.engine(), "commit", another_reads_it)

        assert claim_list(db.session()) is None

    assert calls.made.count(LIST) == 1


def test_that_was_too_slow_stores_nothing_over_its_successor(
    world: World, person: Person, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    person.save_card()

    def another_takes_over() -> None:
        clock.shift(LEASE_DURATION + 1)
        looks(world.app)

    calls.after(LIST, another_takes_over)
    with pytest.raises(Conflict):
        looks(world.app)

    assert row(rows).found == len(rows(Event))
    assert row(rows).lease is None


def test_that_was_too_slow_does_not_give_back_what_is_its_successors(
    world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    with world.app.app_context():
        session = db.session()
        slow = claim_list(session)
        clock.shift(LEASE_DURATION + 1)
        later = claim_list(session)
        assert slow is not None
        assert later is not None

        release_list(session, slow)

    assert row(rows).lease == later.token


def test_that_was_too_slow_and_failed_leaves_its_successor_alone(
    world: World, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    later = []

    def another_takes_over() -> None:
        clock.shift(LEASE_DURATION + 1)
        with world.app.app_context():
            later.append(claim_list(db.session()))
        world.simulator.faults.add("429", LIST)

    calls.before(LIST, another_takes_over)
    with pytest.raises(StripeUnavailable):
        looks(world.app)

    assert [lease and lease.token for lease in later] == [row(rows).lease]
    assert row(rows).last_error is None
