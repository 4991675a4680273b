"""The worker in its threads: it wakes for an event, survives trouble, and stops when told."""

import threading
from collections.abc import Iterator

import pytest
import structlog
from flask import Flask

from app.core import db
from app.core.config import Settings
from app.payers import PaymentStatus
from app.sync import Backfill, Chore, Worker
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.processes import PATIENCE, wait_until
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A portal with intervals so long that no payer becomes due while a test waits."""
    return make_settings(database_url=database_url, pull_interval=86400)


@pytest.fixture
def worker(app: Flask) -> Iterator[Worker]:
    """The application's own worker, running."""
    made: Worker = app.extensions["gangway.worker"]
    made.start()
    yield made
    made.stop()


@pytest.mark.usefixtures("worker")
def test_does_what_an_event_asks_for(world: World, person: Person) -> None:
    person.save_card()
    world.simulator.deliver_due()

    wait_until(lambda: person.status == PaymentStatus.SAVED)

    wait_until(lambda: person.payer.lease is None)
    assert_agrees(person)


@pytest.mark.usefixtures("worker")
def test_survives_trouble_with_the_database(
    app: Flask, world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.workers.worker.RETRY_DELAY", 0.05)
    with structlog.testing.capture_logs() as lines:
        rename(app, "event", "elsewhere")
        app.extensions["gangway.worker"].wake()
        wait_until(lambda: any(line["event"] == "worker_trouble" for line in lines))
        rename(app, "elsewhere", "event")

    person.save_card()
    world.simulator.deliver_due()

    wait_until(lambda: person.status == PaymentStatus.SAVED)


def test_stops_when_told(app: Flask, worker: Worker) -> None:
    worker.stop()

    assert [thread for thread in threading.enumerate() if thread.name.startswith("gangway-worker")] == []


def test_may_be_stopped_before_it_was_started(app: Flask) -> None:
    Worker(app, 2).stop()


def test_shares_the_work_between_threads(app: Flask, world: World) -> None:
    people = [world.person() for _ in range(8)]
    for person in people:
        person.save_card()
    world.simulator.deliver_due()
    threads = Worker(app, 4)

    threads.start()
    wait_until(lambda: all(person.status == PaymentStatus.SAVED for person in people))
    threads.stop()

    world.settle()
    for person in people:
        assert_agrees(person)


def test_lets_events_gather_after_a_run(
    app: Flask, world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.workers.worker.RUN_INTERVAL", 3600.0)
    worker = Worker(app)
    person.save_card()
    world.simulator.deliver_due()

    worker.start()
    wait_until(lambda: person.status == PaymentStatus.SAVED and (rests(worker) or sleeps(worker)))
    worker.wake()

    assert rests(worker)
    worker.stop()


def test_leaves_the_processor_to_the_first_requests_of_its_process(
    app: Flask, world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.workers.worker.FIRST_RUN_DELAY", 3600.0)
    worker = Worker(app)
    person.save_card()
    world.simulator.deliver_due()

    worker.start()
    wait_until(lambda: rests(worker))

    assert person.status != PaymentStatus.SAVED
    worker.stop()


def let_go(world: World, worker: Worker) -> None:
    """Stripe answers at last, and the threads that nobody waited for end."""
    world.simulator.close()
    for thread in worker._threads:
        thread.join(PATIENCE)


def rename(app: Flask, old: str, new: str) -> None:
    """Take a table away, or put it back."""
    with app.app_context(), db.engine().connect() as connection:
        connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")
        connection.commit()


def sleeps(worker: Worker) -> bool:
    """Does it wait to be woken?"""
    return _is_awaited(worker, "_wake")


def rests(worker: Worker) -> bool:
    """Does it wait until it may run again, or is stopped?"""
    return _is_awaited(worker, "_stopping")


def _is_awaited(worker: Worker, name: str) -> bool:
    """Does anybody wait for an Event? It tells nobody but its own condition."""
    return bool(vars(vars(worker)[name])["_cond"]._waiters)


def test_is_woken_by_an_event(
    app: Flask, world: World, person: Person, calls: StripeCalls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sync.workers.worker.POLL_INTERVAL", 3600)
    asleep: Worker = app.extensions["gangway.worker"]
    asleep.start()
    wait_until(lambda: "GET /v1/events" in calls.made and sleeps(asleep))

    person.save_card()
    world.simulator.deliver_due()
    wait_until(lambda: person.status == PaymentStatus.SAVED)

    asleep.stop()


def test_gives_back_what_it_cant_finish_when_it_is_told_to_stop(
    app: Flask, world: World, person: Person
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    world.simulator.faults.add("slow", "GET /v1/checkout/sessions/*", seconds=10 * PATIENCE)
    stuck = Worker(app, 2)
    stuck.start()
    wait_until(lambda: person.payer.lease is not None)

    stuck.stop(timeout=0.5)

    assert person.payer.lease is None
    assert person.methods == []
    let_go(world, stuck)


def test_gives_back_a_list_that_it_cant_read_on_in_when_it_is_told_to_stop(
    app: Flask, world: World, rows: Rows
) -> None:
    world.simulator.faults.add("slow", "GET /v1/events", seconds=10 * PATIENCE)
    stuck = Worker(app, 1)
    stuck.start()
    wait_until(lambda: [row.lease is not None for row in rows(Backfill)] == [True])

    stuck.stop(timeout=0.1)

    assert [(row.lease, row.leased_until) for row in rows(Backfill)] == [(None, None)]
    let_go(world, stuck)


def test_begins_nothing_more_when_it_is_told_to_stop(
    app: Flask, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    told = Worker(app, 1)
    stopper = threading.Thread(target=told.stop)

    def is_told_to_stop() -> None:
        stopper.start()
        wait_until(told._stopping.is_set)

    calls.before("GET /v1/checkout/sessions/*", is_told_to_stop)
    told.start()
    wait_until(lambda: person.status == PaymentStatus.SAVED)
    stopper.join(PATIENCE)

    assert "GET /v1/events" not in calls.made


def test_says_so_when_it_cant_give_back_what_it_holds(
    app: Flask, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    world.simulator.faults.add("slow", "GET /v1/checkout/sessions/*", seconds=10 * PATIENCE)
    stuck = Worker(app, 1)
    calls.clear()
    stuck.start()
    wait_until(lambda: bool(calls.made))  # it needs no table before Stripe has answered

    with structlog.testing.capture_logs() as lines:
        rename(app, "payer", "elsewhere")
        stuck.stop(timeout=0.1)
        rename(app, "elsewhere", "payer")

    assert "leases_not_released" in {line["event"] for line in lines}
    let_go(world, stuck)


def test_looks_for_missed_events_as_soon_as_it_starts(app: Flask, world: World, person: Person) -> None:
    world.run_maintenance()
    person.save_card()
    world.lose_events()
    late = Worker(app)

    late.start()
    wait_until(lambda: person.status == PaymentStatus.SAVED)
    late.stop()

    assert_agrees(person)


def test_looks_for_missed_events_though_the_database_was_away_when_it_started(
    app: Flask, world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run_maintenance()
    person.save_card()
    world.lose_events()
    monkeypatch.setattr("app.sync.workers.worker.RETRY_DELAY", 0.05)
    late = Worker(app)

    with structlog.testing.capture_logs() as lines:
        rename(app, "backfill", "elsewhere")
        late.start()
        wait_until(lambda: any(line["event"] == "worker_trouble" for line in lines))
        rename(app, "elsewhere", "backfill")
        wait_until(lambda: person.status == PaymentStatus.SAVED)
        late.stop()

    assert_agrees(person)


def test_continues_though_tidying_up_fails(
    app: Flask, world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename(app, "idempotent_request", "elsewhere")
    monkeypatch.setattr("app.sync.workers.worker.RETRY_DELAY", 0.05)
    with structlog.testing.capture_logs():
        worker = Worker(app)
        worker.start()
        person.save_card()
        world.simulator.deliver_due()
        wait_until(lambda: person.status == PaymentStatus.SAVED)
        worker.stop()
    rename(app, "elsewhere", "idempotent_request")

    assert_agrees(person)


def test_repeats_a_task_that_failed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sync.workers.worker.RETRY_DELAY", 0.05)
    tries: list[int] = []

    def fail_once(_session: object) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise ConnectionError

    with structlog.testing.capture_logs() as lines:
        worker = Worker(app, chores=[Chore(fail_once, interval=0.01, may_block=True)])
        worker.start()
        wait_until(lambda: len(tries) > 1)
        worker.stop()

    assert any(line["event"] == "worker_trouble" for line in lines)
