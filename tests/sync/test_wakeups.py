"""A worker in another process wakes when an event is stored. PostgreSQL tells it; a file is watched."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask

from app.core import db
from app.core.config import Settings
from app.payers import PaymentStatus
from app.sync import Worker
from app.sync.workers.heartbeat import WorkerHeartbeat
from app.sync.workers.watch import Watch
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.processes import wait_until
from tests.support.stripe_calls import StripeCalls
from tests.support.world import World

NOWHERE = "postgresql+psycopg://127.0.0.1:1/nothing"
LISTENING = "query LIKE 'LISTEN %' AND datname = current_database()"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A web process without a worker, and intervals so long that no payer becomes due while a test waits."""
    return make_settings(database_url=database_url, pull_interval=86400, worker_threads=0)


@pytest.fixture(autouse=True)
def web(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """The web process. Nobody looks for work unasked."""
    monkeypatch.setattr("app.sync.workers.worker.POLL_INTERVAL", 3600)
    monkeypatch.setattr("app.sync.workers.wakeups.RETRY_DELAY", 0.01)
    made: Worker = app.extensions["gangway.worker"]
    made.start()
    yield made
    made.stop()


@pytest.fixture
def _on_postgresql(database_url: str) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite tells other processes nothing")


@pytest.fixture
def _on_sqlite(database_url: str) -> None:
    if database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL is not watched")


@contextmanager
def sleeping(app: Flask, calls: StripeCalls) -> Iterator[Worker]:
    """A worker in another process, that has nothing to do."""
    worker = Worker(app)
    calls.clear()
    worker.start()
    wait_until(lambda: "GET /v1/events" in calls.made and sleeps(worker))
    yield worker
    worker.stop()


def sleeps(worker: Worker) -> bool:
    """Does it wait to be woken? An Event tells who waits for it to nobody but its own condition."""
    return bool(vars(vars(worker)["_wake"])["_cond"]._waiters)


def listeners(app: Flask) -> list[int]:
    """The connections that listen, by the numbers of the server's processes."""
    with app.app_context(), db.engine().connect() as connection:
        found = connection.execute(sa.text(f"SELECT pid FROM pg_stat_activity WHERE {LISTENING}"))  # noqa: S608
        return list(found.scalars())


def end_connection(app: Flask, pid: int) -> None:
    """End a connection, as a server does that restarts."""
    with app.app_context(), db.engine().connect() as connection:
        connection.execute(sa.select(sa.func.pg_terminate_backend(pid)))


def commit(app: Flask) -> None:
    """Commit something."""
    with app.app_context(), db.engine().begin() as connection:
        connection.execute(sa.insert(WorkerHeartbeat).values(id=db.new_id(), threads=1))


def use_database(app: Flask, url: sa.URL) -> None:
    """Let the application use another database."""
    with app.app_context():
        db.engine().dispose()
        db.connect(app, url)


@pytest.mark.usefixtures("_on_sqlite")
def test_sees_that_an_event_is_stored(app: Flask, world: World, person: Person, calls: StripeCalls) -> None:
    with sleeping(app, calls):
        person.save_card()
        world.simulator.deliver_due()

        wait_until(lambda: person.status == PaymentStatus.SAVED)


@pytest.mark.usefixtures("_on_postgresql")
def test_is_told_when_an_event_is_stored(
    app: Flask, world: World, person: Person, calls: StripeCalls
) -> None:
    with sleeping(app, calls):
        wait_until(lambda: len(listeners(app)) == 1)

        person.save_card()
        world.simulator.deliver_due()

        wait_until(lambda: person.status == PaymentStatus.SAVED)
    assert listeners(app) == []


@pytest.mark.usefixtures("_on_postgresql")
def test_listens_again_when_its_connection_has_ended(
    app: Flask, world: World, person: Person, calls: StripeCalls
) -> None:
    with sleeping(app, calls), structlog.testing.capture_logs() as lines:
        wait_until(lambda: len(listeners(app)) == 1)
        [first] = listeners(app)

        end_connection(app, first)
        wait_until(lambda: bool(set(listeners(app)) - {first}))
        person.save_card()
        world.simulator.deliver_due()

        wait_until(lambda: person.status == PaymentStatus.SAVED)
    assert "listener_trouble" in {line["event"] for line in lines}


def test_that_nobody_can_be_told_refuses_no_event(app: Flask, web: Worker) -> None:
    with app.app_context():
        usual = db.engine().url

    use_database(app, sa.make_url(NOWHERE))
    try:
        with structlog.testing.capture_logs() as lines:
            web.wake()
            wait_until(lambda: any(line["event"] == "workers_not_woken" for line in lines))
    finally:
        web.stop()
        use_database(app, usual)


def test_does_without_where_nothing_can_be_told(app: Flask, database_url: str, web: Worker) -> None:
    if database_url.startswith("postgresql"):
        pytest.skip("PostgreSQL can tell it")

    web.wake()
    web.wake()

    assert vars(vars(web)["_announcer"])["_thread"] is None


@pytest.mark.usefixtures("_on_sqlite")
def test_sees_each_commit_once(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sync.workers.watch.WATCH_INTERVAL", 0.001)
    seen: list[str] = []
    watch = Watch(app, lambda: seen.append("commit"))

    watch.start()
    for number in range(1, 4):
        wait_until(lambda: len(seen) >= number)  # noqa: B023  (it is called at once)
        commit(app)
    wait_until(lambda: len(seen) >= 4)
    watch.stop()

    assert len(seen) == 4  # and one for what came before
    assert not vars(watch)["_thread"].is_alive()


@pytest.mark.usefixtures("_on_sqlite")
def test_watches_again_after_trouble(app: Flask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("app.sync.workers.watch.RETRY_DELAY", 0.01)
    seen = threading.Event()
    with app.app_context():
        usual = db.engine().url
    watch = Watch(app, seen.set)

    use_database(app, sa.make_url(f"sqlite:///{tmp_path}/no folder/gangway.db"))
    with structlog.testing.capture_logs() as lines:
        watch.start()
        wait_until(lambda: any(line["event"] == "watch_trouble" for line in lines))
    assert not seen.is_set()
    use_database(app, usual)

    wait_until(seen.is_set)
    watch.stop()
