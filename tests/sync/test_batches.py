"""Many payers are converged together: read, asked about at the same time, and stored in one commit."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
import time_machine
from flask import Flask, Response, request

from app import payers, sync, webhooks
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.payers import Payer, PaymentStatus
from app.simulator import Simulator
from app.sync import Worker
from app.sync.payer_leases import LEASE_DURATION
from app.sync.throttle import MAX_PAUSE
from app.sync.workers.callers import Callers
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.processes import PATIENCE, wait_until
from tests.support.statements import counted
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.truth import assert_agrees
from tests.support.world import World

OVER = LEASE_DURATION.total_seconds() + 1


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A portal with intervals so long that no payer becomes due while a test waits."""
    return make_settings(database_url=database_url, pull_interval=86400)


@pytest.fixture
def poisoned(simulator: Simulator) -> list[str]:
    """The checkout sessions that Stripe answers with something that can't be stored."""
    ids: list[str] = []

    @simulator.wsgi.after_request
    def _change(answer: Response) -> Response:
        if request.method == "GET" and request.path.rsplit("/", 1)[-1] in ids:
            answer.set_data(json.dumps(answer.get_json() | {"status": {"is": "odd"}}))
        return answer

    return ids


@pytest.fixture
def slowing_down(simulator: Simulator) -> None:
    """Stripe says for how long it wants to be left alone."""

    @simulator.wsgi.after_request
    def _say(answer: Response) -> Response:
        if answer.status_code == 429:
            answer.headers["Retry-After"] = "30"
        return answer


@pytest.fixture
def people(world: World) -> list[Person]:
    """Three people who have saved a card; the events are there."""
    return saved(world, 3)


@pytest.fixture
def callers(app: Flask) -> Iterator[Callers]:
    """Threads that ask Stripe."""
    made = Callers(app, 8)
    yield made
    made.close()


def saved(world: World, number: int) -> list[Person]:
    """So many people who have saved a card; the events are there."""
    people = [world.person() for _ in range(number)]
    for person in people:
        person.save_card()
    world.simulator.deliver_due()
    return people


def claimed(app: Flask, person: Person) -> Any:
    """Take somebody's lease, as another worker does."""
    with app.app_context():
        return sync.claim(db.session(), person.payer.id)


def statuses(people: list[Person]) -> list[str | None]:
    return [person.status for person in people]


def test_takes_few_statements_and_commits(app: Flask, world: World) -> None:
    people = saved(world, 8)

    with counted(app) as seen:
        world.work_once()

    assert statuses(people) == [PaymentStatus.SAVED] * 8
    assert len(seen.sent) <= 6 * len(people), seen
    assert seen.commits <= 6, seen
    for person in people:
        assert_agrees(person)


def test_asks_at_the_same_time(app: Flask, world: World, people: list[Person], calls: StripeCalls) -> None:
    together = threading.Barrier(len(people))
    for person in people:
        calls.before(
            f"GET /v1/checkout/sessions/{person.session_id}", lambda: together.wait(timeout=PATIENCE)
        )
    worker = Worker(app)

    worker.start()
    wait_until(lambda: statuses(people) == [PaymentStatus.SAVED] * 3)
    worker.stop()

    world.settle()
    for person in people:
        assert_agrees(person)


def test_leaves_out_one_whose_lease_was_lost(
    app: Flask, clock: time_machine.Traveller, world: World, people: list[Person], calls: StripeCalls
) -> None:
    later: list[Any] = []

    def another_takes_over() -> None:
        clock.shift(OVER)
        later.append(claimed(app, people[0]))

    with app.app_context():
        webhooks.dispatch(db.session())
        leases = sync.claim_due(db.session(), most=8)
    last = max(people, key=lambda person: person.payer.id)
    people.sort(key=lambda person: person.payer.id)
    calls.after(f"GET /v1/checkout/sessions/{last.session_id}", elsewhere(another_takes_over))

    with app.app_context():
        sync.converge_many(db.session(), leases)

    assert people[0].payer.lease == later[0].token
    assert people[0].methods == []
    assert statuses(people[1:]) == [PaymentStatus.SAVED] * 2


def test_that_can_not_be_stored_together_is_stored_one_by_one(
    poisoned: list[str], world: World, people: list[Person]
) -> None:
    poison = people[1]
    poisoned.append(poison.session_id)

    with structlog.testing.capture_logs() as lines:
        world.work_once()

    assert [person.status == PaymentStatus.SAVED for person in people] == [True, False, True]
    assert poison.payer.attempts == 1
    assert "could not be understood or stored" in str(poison.payer.last_error)
    assert [line["event"] for line in lines].count("batch_not_stored") == 1
    assert [line["event"] for line in lines].count("convergence_broke") == 1


def test_of_which_stripe_refuses_one_leaves_the_others_alone(
    slowing_down: None, world: World, people: list[Person], calls: StripeCalls
) -> None:
    world.simulator.faults.add("429", times=50)
    calls.clear()

    world.work()

    assert len({call for call in calls.made if "/v1/checkout/sessions/" in call}) == 1
    assert sorted(person.payer.attempts for person in people) == [0, 0, 1]
    assert {person.payer.lease for person in people} == {None}
    assert all(person.payer.due_at is not None for person in people)


def test_are_few_until_stripe_answers_again(
    app: Flask, frozen: time_machine.Traveller, world: World, calls: StripeCalls
) -> None:
    """After an outage one payer is asked about first. When Stripe answers, the others follow together."""
    people = saved(world, 5)
    world.simulator.fault_settings.change({"outage": "503"})
    world.work()
    frozen.shift(MAX_PAUSE)
    calls.clear()
    world.work()
    asked = {call for call in calls.made if "/v1/checkout/sessions/" in call}
    world.simulator.fault_settings.reset()
    frozen.shift(MAX_PAUSE)

    sizes = []
    for _ in range(2):
        with app.app_context():
            leases = sync.claim_due(db.session(), most=8)
            sizes.append(len(leases))
            sync.converge_many(db.session(), leases)

    assert len(asked) == 1
    assert sizes == [1, 4]
    assert statuses(people) == [PaymentStatus.SAVED] * 5


def test_dismisses_nothing_that_came_after_it_was_read(
    app: Flask, world: World, people: list[Person]
) -> None:
    """What was known when it was read is finished, and a newer hint leaves the payer due."""
    person = people[0]
    world.work()
    lease = claimed(app, person)
    world.stripe("POST", f"/v1/customers/{person.stripe_customer_id}", description="no news")
    world.simulator.deliver_due()
    with app.app_context():
        webhooks.dispatch(db.session())  # the event waits for the convergence
    hinted_at = utcnow()

    def hint() -> None:
        with app.app_context():
            payers.mark_due(db.session(), person.payer.id, at=hinted_at)
            db.session().commit()

    with app.app_context(), after_reading(app, elsewhere(hint)):
        sync.converge_many(db.session(), [lease])

    assert person.payer.due_reason == "asked"
    assert person.payer.due_at is not None
    assert person.payer.lease is None


@contextmanager
def after_reading(app: Flask, action: Callable[[], None]) -> Iterator[None]:
    """Do something once, at the end of the first transaction."""
    done: list[None] = []

    def _ended(_connection: sa.Connection) -> None:
        if not done:
            done.append(None)
            action()

    with app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "commit", _ended)
    try:
        yield
    finally:
        sa.event.remove(engine, "commit", _ended)


def test_renews_each_lease_while_stripe_answers_slowly(
    app: Flask, clock: time_machine.Traveller, people: list[Person], calls: StripeCalls, callers: Callers
) -> None:
    """Each answer takes most of a lease, and both together take longer."""
    with app.app_context():
        webhooks.dispatch(db.session())
        leases = sync.claim_due(db.session(), most=8)
    others: list[Any] = []
    together = threading.Barrier(len(people))

    def take_long() -> None:
        if together.wait(timeout=PATIENCE) == 0:
            clock.shift(0.6 * LEASE_DURATION.total_seconds())
            others.extend(claimed(app, person) for person in people)
        together.wait(timeout=PATIENCE)

    for person in people:
        calls.before(f"GET /v1/checkout/sessions/{person.session_id}", take_long)
        calls.before(f"POST /v1/customers/{person.stripe_customer_id}", take_long)
    with app.app_context():
        sync.converge_many(db.session(), leases, callers.run)

    assert others == [None] * 6
    assert statuses(people) == [PaymentStatus.SAVED] * 3


def test_does_not_wait_for_one_that_somebody_is_changing(
    app: Flask, database_url: str, world: World, people: list[Person]
) -> None:
    """The others are stored first. Then it is waited for, on its own."""
    if not database_url.startswith("postgresql"):
        pytest.skip("on SQLite one writes at a time")
    with app.app_context():
        webhooks.dispatch(db.session())
    busy, *others = people
    with app.app_context(), db.engine().connect() as other:
        which = sa.select(Payer.id).where(Payer.id == busy.payer.id)
        with app.app_context():
            leases = sync.claim_due(db.session(), most=8)
        other.execute(which.with_for_update()).all()
        work = threading.Thread(target=lambda: _converge(app, leases))
        work.start()
        wait_until(lambda: statuses(others) == [PaymentStatus.SAVED] * 2)
        other.rollback()
    work.join(PATIENCE)

    assert busy.status == PaymentStatus.SAVED


def _converge(app: Flask, leases: list[sync.Lease]) -> None:
    with app.app_context():
        sync.converge_many(db.session(), leases)
