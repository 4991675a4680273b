"""On PostgreSQL many write at once: nobody waits for a row that another has, and nobody writes over it."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from sqlalchemy.orm import Session

from app import apps, sync, webhooks
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.customers import Customer
from app.payers import Payer, PaymentStatus
from app.simulator import DEFAULT_API_KEY, add_account, add_key, revoke_key
from app.sync import Backfill, Lease, Outcome, RateBudget
from app.sync.backfill import LEASE_DURATION as LIST_LEASE
from app.sync.backfill import claim_list, read_next_page
from app.sync.convergence.outcomes import ADOPT_RETRY_DELAY
from app.sync.payer_leases import LEASE_DURATION
from app.webhooks import Event
from tests.conftest import PORTAL, make_settings
from tests.support.people import Person
from tests.support.processes import PATIENCE, wait_until
from tests.support.rows import Rows
from tests.support.world import World

WAITING = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture(autouse=True)
def _only_postgresql(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("on SQLite one writes at a time")


@pytest.fixture
def aside(app: Flask) -> Iterator[Callable[..., Future[Any]]]:
    """Do something in another thread, in another context."""
    with ThreadPoolExecutor(4) as pool:

        def begin(action: Callable[..., Any], *arguments: Any) -> Future[Any]:
            def run() -> Any:
                with app.app_context():
                    return action(db.session(), *arguments)

            return pool.submit(run)

        yield begin


@contextmanager
def held(app: Flask, which: sa.Select[Any], *, is_changed: bool = True) -> Iterator[None]:
    """Rows that somebody else is changing, or that a row just being written refers to."""
    with app.app_context(), db.engine().connect() as other:
        assert other.execute(which.with_for_update(read=not is_changed, key_share=True)).all()
        yield
        other.rollback()


def is_held(app: Flask, which: sa.Select[Any]) -> bool:
    """Is somebody changing one of these rows?"""
    with app.app_context(), db.engine().connect() as other:
        try:
            other.execute(which.with_for_update(nowait=True, key_share=True)).all()
        except sa.exc.OperationalError:
            return True
        finally:
            other.rollback()
    return False


def waiting(app: Flask) -> int:
    """How many wait for a row just now."""
    with app.app_context(), db.engine().connect() as other:
        return int(other.execute(WAITING).scalar_one())


def row_of(person: Person) -> sa.Select[Any]:
    return sa.select(Payer).where(Payer.id == person.payer.id)


def events_of(person: Person) -> sa.Select[Any]:
    return sa.select(Event).where(Event.payload.contains(person.stripe_customer_id))


def claim_one(session: Session) -> list[Lease]:
    """Take the lease of a payer that is due, as a worker does."""
    return sync.claim_due(session, most=1)


def change(app: Flask, statement: sa.Executable) -> None:
    with app.app_context():
        db.session().execute(statement)
        db.session().commit()


def before_writing(app: Flask, table: str, action: Callable[[], Any]) -> list[Any]:
    """Do something once, when a row of a table has been read and is about to be written; what came of it."""
    done: list[Any] = []

    def _about_to(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith(f"UPDATE {table} ") and not done:
            done.append(None)
            done[0] = action()

    with app.app_context():
        sa.event.listen(db.engine(), "before_cursor_execute", _about_to)
    return done


def saved(world: World, number: int = 2) -> list[Person]:
    """So many people who have saved a card, with the events received."""
    people = [world.person() for _ in range(number)]
    for person in people:
        person.save_card()
    world.simulator.deliver_due()
    return people


def install_another(session: Session, world: World, number: int) -> str:
    """Install one more account; the id of its app."""
    key = f"sk_test_of_number_{number}"
    add_account(world.simulator.store, f"acct_{number}", 1)
    add_key(world.simulator.store, key, account=f"acct_{number}")
    made = apps.install(session, key, public_url=PORTAL, actor="test", name=f"Number {number}")
    session.commit()
    return made.id


class TestWhatAnotherHasInHand:
    """The others are seen to meanwhile."""

    def test_of_those_who_are_due(self, app: Flask, world: World, aside: Callable[..., Future[Any]]) -> None:
        first, second = saved(world)
        aside(webhooks.dispatch).result(PATIENCE)

        with held(app, row_of(first)):
            aside(lambda _session: world.work()).result(PATIENCE)

        assert first.status == PaymentStatus.IN_PROGRESS
        assert second.status == PaymentStatus.SAVED

    def test_of_the_inbox(self, app: Flask, world: World, aside: Callable[..., Future[Any]]) -> None:
        first, second = saved(world)

        with held(app, events_of(first)):
            aside(lambda _session: world.work()).result(PATIENCE)

        assert first.status == PaymentStatus.IN_PROGRESS
        assert second.status == PaymentStatus.SAVED

    def test_of_what_the_clock_changes(
        self,
        app: Flask,
        world: World,
        clock: time_machine.Traveller,
        aside: Callable[..., Future[Any]],
    ) -> None:
        first, second = world.person(), world.person()
        clock.shift(timedelta(days=2))

        with held(app, row_of(first)):
            aside(sync.run_maintenance).result(PATIENCE)

        assert (first.payer.status, second.payer.status) == ("in_progress", "abandoned")

    def test_of_those_to_be_compared(
        self, app: Flask, world: World, aside: Callable[..., Future[Any]]
    ) -> None:
        first, second = saved(world)
        world.settle()
        change(app, sa.update(Payer).values(verify_at=utcnow() - timedelta(seconds=1)))

        with held(app, row_of(first)):
            aside(sync.run_maintenance).result(PATIENCE)

        assert (first.payer.due_at, second.payer.due_reason) == (None, "verify")

    def test_of_drifts_to_be_told(
        self, app: Flask, world: World, aside: Callable[..., Future[Any]], rows: Rows
    ) -> None:
        first, second = saved(world)
        world.settle()
        long_ago = utcnow() - timedelta(hours=1)
        change(app, sa.update(Payer).values(drift="something", verified_at=long_ago))

        with held(app, row_of(first)):
            aside(sync.run_maintenance).result(PATIENCE)

        told = [entry.customer_id for entry in rows(Entry) if entry.kind == "sync.drift"]
        assert told == [second.payer.customer_id]

    def test_of_what_may_be_forgotten(
        self, app: Flask, world: World, aside: Callable[..., Future[Any]], rows: Rows
    ) -> None:
        first, _second = saved(world)
        world.settle()
        change(app, sa.update(Event).values(finished_at=utcnow() - timedelta(days=100)))
        mine = {event.id for event in rows(Event) if event.payer_id == first.payer.id}

        with held(app, events_of(first)):
            aside(webhooks.prune).result(PATIENCE)

        assert {event.id for event in rows(Event) if event.payload} == mine

    def test_of_what_failed(
        self, app: Flask, world: World, aside: Callable[..., Future[Any]], rows: Rows
    ) -> None:
        first, _second = saved(world)
        change(app, sa.update(Event).values(state="dead"))
        theirs = {event.id for event in rows(Event) if first.stripe_customer_id in event.payload}

        def presses(session: Session) -> int:
            count = webhooks.retry_all_failed(session, actor="test")
            session.commit()
            return count

        with held(app, events_of(first)):
            aside(presses).result(PATIENCE)

        assert {event.id for event in rows(Event) if event.state == "dead"} == theirs


def test_what_a_customer_lacks_is_filled_soon_after_somebody_has_changed_it(
    app: Flask, world: World, clock: time_machine.Traveller, aside: Callable[..., Future[Any]]
) -> None:
    person = world.person()
    world.settle()
    customer = sa.select(Customer).where(Customer.id == person.payer.customer_id)
    world.stripe("POST", f"/v1/customers/{person.stripe_customer_id}", phone="+44 20 1234")
    world.simulator.deliver_due()

    with held(app, customer):
        aside(lambda _session: world.work()).result(PATIENCE)
    before = person.payer.customer.billing_address
    clock.shift(ADOPT_RETRY_DELAY)
    world.work()

    assert before is None
    assert person.payer.customer.billing_address == {"phoneNumber": "+44 20 1234"}


def test_a_convergence_that_writes_is_not_overtaken(
    app: Flask, world: World, clock: time_machine.Traveller, aside: Callable[..., Future[Any]]
) -> None:
    """Its lease runs out between the last look at it and the writing."""
    [person] = saved(world, 1)
    payer_id = person.payer.id
    lease = aside(sync.claim, payer_id).result(PATIENCE)

    def another_wants_it() -> Any:
        clock.shift(LEASE_DURATION + timedelta(seconds=1))
        return aside(sync.claim, payer_id).result(PATIENCE)

    others = before_writing(app, "payer", another_wants_it)
    outcome = aside(sync.converge, lease).result(PATIENCE)

    assert others == [None]
    assert outcome is Outcome.CURRENT


def test_a_page_of_the_list_that_is_stored_is_not_overtaken(
    app: Flask, world: World, clock: time_machine.Traveller, aside: Callable[..., Future[Any]], rows: Rows
) -> None:
    """Its lease runs out between the last look at it and the writing."""
    saved(world, 1)
    lease = aside(claim_list).result(PATIENCE)
    later: list[Future[Any]] = []

    def another_wants_it() -> None:
        clock.shift(LIST_LEASE + timedelta(seconds=1))
        later.append(aside(claim_list))
        wait_until(lambda: later[0].done() or waiting(app) > 0)

    before_writing(app, "backfill", another_wants_it)
    aside(read_next_page, lease).result(PATIENCE)

    [row] = rows(Backfill)
    assert row.lease == getattr(later[0].result(PATIENCE), "token", None)


def test_two_batches_of_events_lock_their_customers_in_one_order(
    app: Flask, world: World, aside: Callable[..., Future[Any]]
) -> None:
    """Else two workers may wait for each other."""
    first, second = sorted((world.person(), world.person()), key=lambda person: person.payer.id)
    for person in (second, first):
        person.save_card()
        world.simulator.deliver_due()

    with held(app, row_of(first)):
        sorting = aside(webhooks.dispatch)
        wait_until(lambda: waiting(app) > 0)
        is_in_its_hand = is_held(app, row_of(second))
    sorting.result(PATIENCE)

    assert not is_in_its_hand


def test_events_are_sorted_while_somebody_else_writes_what_refers_to_their_payer(
    app: Flask, world: World, aside: Callable[..., Future[Any]]
) -> None:
    """Else two workers with events of the same payers may wait for each other."""
    person = world.person()
    person.save_card()
    world.simulator.deliver_due()

    with held(app, row_of(person), is_changed=False):
        sorting = aside(webhooks.dispatch)
        wait_until(lambda: sorting.done() or waiting(app) > 0)
        is_done = sorting.done()
    sorting.result(PATIENCE)

    assert is_done


def test_two_who_choose_another_default_at_once_do_so_one_after_the_other(
    app: Flask, world: World, aside: Callable[..., Future[Any]], rows: Rows
) -> None:
    ids = [aside(install_another, world, number).result(PATIENCE) for number in (1, 2)]

    def chooses(session: Session, app_id: str) -> None:
        apps.make_default(session, app_id, actor="test")
        session.commit()

    with held(app, sa.select(apps.App).where(apps.App.is_default)):
        both = [aside(chooses, app_id) for app_id in ids]
        wait_until(lambda: waiting(app) == 2)
    for future in both:
        future.result(PATIENCE)

    assert len([row for row in rows(apps.App) if row.is_default]) == 1


class TestWithABudget:
    """Of one call a second."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, stripe_rate=1)

    def test_two_who_take_of_it_at_once_take_no_more_than_there_is(
        self, app: Flask, world: World, clock: time_machine.Traveller, aside: Callable[..., Future[Any]]
    ) -> None:
        saved(world, 4)
        aside(webhooks.dispatch).result(PATIENCE)
        assert aside(claim_one).result(PATIENCE)
        clock.shift(10)

        with held(app, sa.select(RateBudget)):
            both = [aside(claim_one) for _ in range(2)]
            wait_until(lambda: waiting(app) == 2)
        leases = [future.result(PATIENCE) for future in both]

        assert [bool(lease) for lease in leases].count(True) == 1


class TestTheAppAfterItsPace:
    """A change of both locks the throttle first, else two may wait for each other."""

    @pytest.fixture
    def is_app_held(self, app: Flask, aside: Callable[..., Future[Any]]) -> Callable[..., bool]:
        """Does somebody hold an app's lock and wait for its throttle?"""

        def found(action: Callable[..., Any], *arguments: Any) -> bool:
            with held(app, sa.select(RateBudget)):
                doing = aside(action, *arguments)
                wait_until(lambda: doing.done() or waiting(app) > 0)
                assert not doing.done()
                is_app_in_hand = is_held(app, sa.select(apps.App))
            doing.exception(PATIENCE)
            return is_app_in_hand

        return found

    def test_when_stripe_rejects_the_key(
        self, world: World, aside: Callable[..., Future[Any]], is_app_held: Callable[..., bool], rows: Rows
    ) -> None:
        [person] = saved(world, 1)
        world.settle()
        lease = aside(sync.claim, person.payer.id).result(PATIENCE)
        revoke_key(world.simulator.store, DEFAULT_API_KEY)

        assert not is_app_held(sync.converge, lease)
        assert [app.status for app in rows(apps.App)] == ["unauthorized"]

    def test_when_stripe_takes_it_again(
        self, world: World, aside: Callable[..., Future[Any]], is_app_held: Callable[..., bool], rows: Rows
    ) -> None:
        [person] = saved(world, 1)
        revoke_key(world.simulator.store, DEFAULT_API_KEY)
        world.settle()
        lease = aside(sync.claim, person.payer.id).result(PATIENCE)
        add_key(world.simulator.store, DEFAULT_API_KEY)

        assert not is_app_held(sync.converge, lease)
        assert [app.status for app in rows(apps.App)] == ["ready"]

    def test_when_stripe_rejects_the_key_with_which_its_list_is_read(
        self, app: Flask, world: World, is_app_held: Callable[..., bool], rows: Rows
    ) -> None:
        saved(world, 1)
        world.settle()
        revoke_key(world.simulator.store, DEFAULT_API_KEY)

        def looks(session: Session) -> None:
            sync.backfill(session, session.scalars(sa.select(apps.App)).one())

        assert not is_app_held(looks)
        assert [app.status for app in rows(apps.App)] == ["unauthorized"]
