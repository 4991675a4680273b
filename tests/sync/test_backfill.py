"""What no webhook brought is found in Stripe's list of events, wherever a worker was killed on the way."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
import time_machine
from click.testing import Result
from flask import Flask

from app import apps, db, sync
from app.apps import App
from app.config import Settings
from app.db import utcnow
from app.errors import Conflict
from app.gateway import EVENTS, StripeUnavailable
from app.payers import PaymentStatus
from app.simulator import DEFAULT_API_KEY
from app.simulator.accounts import add_account, add_key, revoke_key
from app.sync import Backfill, Backfilled
from app.sync.backfill import claim_due, release
from app.sync.cli import command
from app.webhooks import Event
from tests.conftest import PORTAL, make_settings
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_people import Person, World
from tests.support.sync_truth import assert_equal_to_stripe

INTERVAL, LEASE = 900, 60
LIST = "GET /v1/events"
SECOND_KEY = "sk_test_of_the_second"


@pytest.fixture(autouse=True)
def _no_webhooks(world: World) -> None:
    world.simulator.knobs.drop_all = True


def looks(app: Flask, **wanted: Any) -> Backfilled:
    """Look through the whole list now."""
    with app.app_context():
        session = db.session()
        return sync.backfill(session, session.scalars(sa.select(App)).one(), **wanted)


def row(rows: Rows) -> Backfill:
    """How far it has come."""
    [found] = rows(Backfill)
    assert isinstance(found, Backfill)
    return found


def is_wanted(found: dict[str, Any]) -> bool:
    """Is this one of the kinds of events that we ask Stripe for?"""
    return found["type"] in EVENTS


def add_another(app: Flask, world: World) -> None:
    """Install a second account."""
    add_account(world.simulator.books, "acct_second", 1)
    add_key(world.simulator.books, SECOND_KEY, account="acct_second")
    with app.app_context():
        session = db.session()
        apps.install(session, SECOND_KEY, public_url=PORTAL, actor="test", name="Second")
        session.commit()


def many(world: World, number: int) -> Person:
    """Somebody who brings about so many events; the last one is the only one that matters."""
    person = world.person()
    for _ in range(number):
        person.saves("4000000000000002")
    person.saves()
    return person


def test_finds_what_was_never_delivered(world: World, person: Person, rows: Rows) -> None:
    person.saves()

    world.tend()
    world.work()

    assert_equal_to_stripe(person)
    assert {(found.origin, found.state) for found in rows(Event)} == {("backfill", "done")}
    assert row(rows).found == len(rows(Event)) >= 3
    assert row(rows).last_run_at is not None


def test_finds_the_first_events_though_our_clock_is_ahead(world: World, person: Person) -> None:
    with world.app.app_context():
        ahead = utcnow() + timedelta(minutes=30)
        db.session().execute(sa.update(App).values(created_at=ahead))
        db.session().commit()
    person.saves()

    world.tend()
    world.work()

    assert_equal_to_stripe(person)


def test_finds_nothing_new_in_what_was_delivered(world: World, person: Person, rows: Rows) -> None:
    world.simulator.knobs.drop_all = False
    person.saves()
    world.settle()
    events = len(rows(Event))

    world.tend()

    assert row(rows).found == 0
    assert len(rows(Event)) == events
    assert {found.origin for found in rows(Event)} == {"webhook"}


def test_of_an_event_that_is_only_late_is_not_its_origin(world: World, person: Person, rows: Rows) -> None:
    world.simulator.knobs.drop_all = False
    world.simulator.knobs.hold = True
    person.saves()
    world.tend()
    world.work()

    world.simulator.release()
    world.settle()

    assert {(found.origin, found.state) for found in rows(Event)} == {("webhook", "done")}


def test_comes_at_its_interval(
    world: World, person: Person, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    world.tend()
    calls.clear()

    clock.shift(INTERVAL * 0.8)
    world.tend()
    before = list(calls.made)
    clock.shift(INTERVAL * 0.3)
    world.tend()

    assert before == []
    assert calls.made == [LIST]


def test_reads_on_where_it_was_but_for_the_overlap(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.saves()
    world.tend()
    cursor = row(rows).cursor
    assert cursor is not None
    clock.shift(86400)

    seen = looks(world.app)

    assert cursor == datetime.fromtimestamp(
        max(event["created"] for event in world.simulator.books.events.snapshot()), UTC
    )
    assert seen.listed == 3  # those of the overlap, once more
    clock.shift(86400)
    world.attach_card(person)
    assert looks(world.app).listed == 4
    assert looks(world.app).listed == 1


def test_finds_an_event_that_stripe_listed_later_than_younger_ones(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.saves()
    clock.shift(200)
    late = {key: found for key, found in world.simulator.books.events.items() if "succeeded" in found["type"]}
    for key in late:
        del world.simulator.books.events[key]
    other = world.person()
    other.saves()
    world.tend()
    for key, found in late.items():
        world.simulator.books.events[key] = found

    clock.shift(INTERVAL + 1)
    world.tend()

    assert set(late) <= {found.id for found in rows(Event)}


def test_goes_back_the_next_time_to_the_newest_event_of_all_its_pages(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    for _ in range(120):
        person.saves("4000000000000002")
    clock.shift(60)
    person.saves()
    newest = max(found["created"] for found in world.simulator.books.events.snapshot() if is_wanted(found))

    world.tend()

    assert row(rows).cursor == datetime.fromtimestamp(newest, UTC)


def test_walks_through_many_pages(world: World, rows: Rows, calls: StripeCalls) -> None:
    person = many(world, 230)
    calls.clear()

    world.tend()
    world.work()

    assert calls.made.count(LIST) == 3
    assert row(rows).found == len(rows(Event)) > 200
    assert_equal_to_stripe(person)


def test_sorts_and_converges_between_two_pages(world: World, rows: Rows) -> None:
    many(world, 230)

    with world.app.app_context():
        sync.tend(db.session())
        first = len(rows(Event))
        sync.drain()

    assert first == 100
    assert "new" not in {found.state for found in rows(Event)}


def test_goes_on_where_it_was_killed(
    world: World, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    """Two pages are stored; the third was asked for by somebody who was never heard of again."""
    person = many(world, 230)
    cursor_before = None
    with world.app.app_context():
        for _ in range(2):
            sync.tend(db.session())
        cursor_before = row(rows).cursor
        session = db.session()
        session.execute(
            sa.update(Backfill).values(lease="killed", leased_until=utcnow() + timedelta(seconds=LEASE))
        )
        session.commit()
    world.tend()
    held = len(rows(Event))
    calls.clear()

    clock.shift(LEASE + 1)
    world.tend()
    world.work()

    assert cursor_before is None
    assert held == 200
    assert calls.made.count(LIST) == 1
    assert row(rows).cursor is not None
    assert_equal_to_stripe(person)


def test_is_done_by_one_at_a_time(world: World, person: Person, calls: StripeCalls) -> None:
    refused: list[Conflict] = []

    def another_begins() -> None:
        with pytest.raises(Conflict) as caught:
            looks(world.app)
        refused.append(caught.value)
        world.tend()

    calls.before(LIST, another_begins)
    looks(world.app)

    assert len(refused) == 1
    assert calls.made.count(LIST) == 1


def test_is_done_by_one_however_long_its_pages_take(
    world: World, calls: StripeCalls, rows: Rows, clock: time_machine.Traveller
) -> None:
    many(world, 130)

    def takes_long() -> None:
        clock.shift(LEASE - 20)
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
        world.tend()

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(tends) for _ in range(6)]:
            future.result()
    world.tend()

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
                thread.submit(world.tend).result()

    with world.app.app_context():
        sa.event.listen(db.engine(), "commit", another_reads_it)

        assert claim_due(db.session()) is None

    assert calls.made.count(LIST) == 1


def test_that_was_too_slow_stores_nothing_over_its_successor(
    world: World, person: Person, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    person.saves()

    def another_takes_over() -> None:
        clock.shift(LEASE + 1)
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
        slow = claim_due(session)
        clock.shift(LEASE + 1)
        later = claim_due(session)
        assert slow is not None
        assert later is not None

        release(session, slow)

    assert row(rows).lease == later.token


def test_that_was_too_slow_and_failed_leaves_its_successor_alone(
    world: World, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    later = []

    def another_takes_over() -> None:
        clock.shift(LEASE + 1)
        with world.app.app_context():
            later.append(claim_due(db.session()))
        world.simulator.faults.add("429", LIST)

    calls.before(LIST, another_takes_over)
    with pytest.raises(StripeUnavailable):
        looks(world.app)

    assert [lease and lease.token for lease in later] == [row(rows).lease]
    assert row(rows).last_error is None


def test_begins_anew_when_stripe_has_forgotten_where_it_stood(
    world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    many(world, 130)
    with world.app.app_context():
        sync.tend(db.session())
    assert row(rows).after is not None
    for found in world.simulator.books.events.snapshot():
        del world.simulator.books.events[found["id"]]
    person = world.person()
    person.saves()

    world.tend()
    world.work()

    assert row(rows).after is None
    assert_equal_to_stripe(person)


def test_after_more_than_stripe_remembers_looks_at_everybody_who_is_not_done(
    world: World, rows: Rows, calls: StripeCalls, clock: time_machine.Traveller
) -> None:
    world.tend()
    given_up, settled = world.person(), world.person()
    settled.saves()
    settled.returns()
    world.simulator.pay_by_bank(given_up.page_id, verify="later")
    given_up.returns()
    with world.app.app_context():
        session = db.session()
        session.execute(sa.text("UPDATE payer SET due_at = NULL, verify_at = NULL"))
        session.commit()
    world.simulator.verify_microdeposits(given_up.page_id)
    for found in world.simulator.books.events.snapshot():
        del world.simulator.books.events[found["id"]]
    clock.shift(timedelta(days=31))
    calls.clear()

    world.tend()
    clock.shift(timedelta(hours=1))
    world.work()

    assert_equal_to_stripe(given_up)
    assert not [call for call in calls.made if settled.stripe_id in call]


@pytest.mark.parametrize("batch", [1, 500])
def test_for_the_first_time_after_so_long_looks_at_everybody_who_is_not_done(
    world: World, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(sys.modules[claim_due.__module__], "GAP_BATCH", batch)
    people = [world.person() for _ in range(3)]
    with world.app.app_context():
        db.session().execute(sa.text("UPDATE payer SET due_at = NULL, verify_at = NULL"))
        db.session().commit()
    clock.shift(timedelta(days=31))

    world.tend()

    assert {person.payer.due_for for person in people} == {"gap"}


def test_notes_what_went_wrong_and_tries_again(
    world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.saves()
    world.simulator.knobs.outage = "503"
    world.tend()
    failed = row(rows).last_error
    world.simulator.knobs.outage = ""

    clock.shift(61)
    world.tend()
    world.work()

    assert failed == "Stripe had a problem of its own."
    assert row(rows).last_error is None
    assert_equal_to_stripe(person)


def test_notes_that_the_key_is_rejected(world: World, person: Person, rows: Rows) -> None:
    revoke_key(world.simulator.books, DEFAULT_API_KEY)

    world.tend()

    assert [app.status for app in rows(App)] == ["unauthorized"]
    assert row(rows).last_error == "Stripe rejected the API key."
    add_key(world.simulator.books, DEFAULT_API_KEY)


def test_notes_what_stripe_refuses(world: World, calls: StripeCalls, rows: Rows) -> None:
    calls.refusals[LIST] = {"type": "invalid_request_error", "message": "No such type.", "param": "types"}

    world.tend()

    assert row(rows).last_error == "No such type."


def test_notes_what_it_does_not_understand(world: World, person: Person, rows: Rows) -> None:
    world.simulator.books.events[world.simulator.books.events.snapshot()[-1]["id"]]["created"] = None

    with structlog.testing.capture_logs() as lines:
        world.tend()

    assert "could not be understood" in str(row(rows).last_error)
    assert "backfill_broke" in {line["event"] for line in lines}


def test_leaves_out_what_is_no_event_of_ours(world: World, person: Person, rows: Rows) -> None:
    person.saves()
    for event in world.simulator.books.events.snapshot():
        world.simulator.books.events[event["id"]] = event | {"livemode": True}

    seen = looks(world.app)

    assert seen.listed >= 3
    assert seen.found == 0
    assert rows(Event) == []


class TestAsked:
    """By an operator."""

    def test_looks_back_as_far_as_it_is_told(
        self, world: World, person: Person, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        person.saves()
        world.tend()
        clock.shift(timedelta(days=3))
        other = world.person()
        other.saves()
        world.tend()
        cursor = row(rows).cursor
        with world.app.app_context():
            db.session().execute(sa.delete(Event))
            db.session().commit()

        recent = looks(world.app, since=utcnow() - timedelta(days=1))
        all_of_it = looks(world.app, since=utcnow() - timedelta(days=5))

        assert 0 < recent.found < all_of_it.listed
        assert recent.found + all_of_it.found == all_of_it.listed
        assert row(rows).cursor == cursor

    def test_a_shorter_look_skips_nothing_for_the_next_one(
        self, world: World, person: Person, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        person.saves()
        earlier = {found["id"] for found in world.simulator.books.events.snapshot() if is_wanted(found)}
        clock.shift(timedelta(hours=2))
        world.person().saves()

        looks(world.app, since=utcnow() - timedelta(hours=1))
        skipped = earlier - {found.id for found in rows(Event)}
        clock.shift(INTERVAL + 1)
        world.tend()

        assert skipped == earlier
        assert earlier <= {found.id for found in rows(Event)}

    def test_only_counts_when_it_is_told_to(self, world: World, rows: Rows) -> None:
        many(world, 130)

        seen = looks(world.app, dry_run=True)

        assert seen.found == seen.listed > 100
        assert rows(Event) == []
        assert rows(Backfill) == []

    def test_counts_what_it_would_find_after_the_last_look(
        self, world: World, person: Person, clock: time_machine.Traveller
    ) -> None:
        person.saves()
        world.tend()
        world.attach_card(person)

        assert looks(world.app, dry_run=True).found == 1


class TestCommand:
    """`gangway backfill`."""

    @staticmethod
    def run(app: Flask, *options: str) -> Result:
        return app.test_cli_runner().invoke(command, options)

    def test_says_what_it_found(self, app: Flask, person: Person, rows: Rows) -> None:
        person.saves()

        answer = self.run(app)

        assert answer.exit_code == 0
        assert f"{len(rows(Event))} events listed, {len(rows(Event))} new ones stored." in answer.output

    def test_says_what_it_would_find(self, app: Flask, person: Person, rows: Rows) -> None:
        person.saves()

        answer = self.run(app, "--dry-run", "--since", "2020-01-01")

        assert "new ones would be stored." in answer.output
        assert rows(Event) == []

    @pytest.mark.parametrize("options", [[], ["--dry-run"]])
    def test_goes_on_with_the_next_app_when_one_fails(
        self, app: Flask, world: World, person: Person, options: list[str]
    ) -> None:
        add_another(app, world)
        revoke_key(world.simulator.books, DEFAULT_API_KEY)

        answer = self.run(app, *options)

        assert answer.exit_code == 1
        assert answer.stderr.endswith("Stripe rejected the API key.\n")
        assert answer.stdout.startswith("Second (")
        assert answer.stdout.count("events listed") == 1

    def test_goes_on_with_the_next_app_when_it_has_lost_a_list_to_another(
        self, app: Flask, world: World, calls: StripeCalls
    ) -> None:
        add_another(app, world)

        def another_takes_over() -> None:
            with app.app_context():
                db.session().execute(sa.update(Backfill).values(lease="another"))
                db.session().commit()

        calls.after(LIST, another_takes_over)
        answer = self.run(app)

        assert answer.exit_code == 1
        assert answer.stderr.endswith("Another has taken over this backfill.\n")
        assert answer.stdout.startswith("Second (")

    def test_refuses_what_is_no_time(self, app: Flask) -> None:
        answer = self.run(app, "--since", "yesterday")

        assert answer.exit_code == 2
        assert "no time in ISO 8601" in answer.output


class TestWithoutWebhooks:
    """Where Stripe can't reach the portal, its list is the only source."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, webhooks="off", pull_interval=60)

    def test_the_whole_way_goes_within_a_pull_interval(
        self, world: World, clock: time_machine.Traveller
    ) -> None:
        person = world.person()
        world.tend()
        person.saves()

        clock.shift(61)
        world.tend()
        world.work()
        saved = person.status
        world.simulator.detach_payment_method(str(person.stripe_default))
        clock.shift(61)
        world.tend()
        world.work()

        assert (saved, person.status) == (PaymentStatus.SAVED, PaymentStatus.REMOVED)
        assert_equal_to_stripe(person)


@pytest.mark.parametrize(
    ("said", "is_pulling"),
    [
        ({}, False),  # a simulator reaches everything
        ({"webhooks": "off"}, True),
        ({"stripe_api_base": "https://api.stripe.com"}, True),
        ({"stripe_api_base": "https://api.stripe.com", "public_url": "https://pay.example.com"}, False),
    ],
)
def test_is_the_only_source_where_stripe_cant_reach_us(said: dict[str, str], is_pulling: bool) -> None:  # noqa: FBT001
    assert make_settings(**said).is_pulling is is_pulling


def test_leaves_an_uninstalled_app_alone(world: World, calls: StripeCalls, rows: Rows) -> None:
    with world.app.app_context():
        session = db.session()
        apps.uninstall(session, session.scalars(sa.select(App.id)).one(), actor="test")
        session.commit()
    calls.clear()

    world.tend()

    assert calls.made == []
