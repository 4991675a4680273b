"""What finished events said is forgotten after a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from app import sync, webhooks
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.webhooks import Event
from app.webhooks.pruning import BATCH_SIZE
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.processes import wait_until
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Nothing is kept for more than ten days here."""
    return make_settings(database_url=database_url, keep_payloads_days=10)


def prune(app: Flask) -> bool:
    with app.app_context():
        return webhooks.prune(db.session())


def kept(rows: Rows) -> set[str]:
    """The events that still have a payload."""
    return {found.id for found in rows(Event) if found.payload}


def finish(app: Flask, **states: str) -> None:
    with app.app_context():
        for name, state in states.items():
            change = sa.update(Event).where(Event.id == f"evt_{name}")
            db.session().execute(change.values(state=state, finished_at=utcnow()))
        db.session().commit()


def test_forgets_what_is_finished_and_keeps_the_rest(
    app: Flask, postbox: Postbox, rows: Rows, clock: time_machine.Traveller
) -> None:
    for name in ("done", "ignored", "dead", "new", "young"):
        postbox.post(event(id=f"evt_{name}"))
    finish(app, done="done", ignored="ignored", dead="dead")
    clock.shift(timedelta(days=9, hours=23))
    early = prune(app), kept(rows)
    finish(app, young="done")
    clock.shift(timedelta(hours=2))

    more = prune(app)

    assert early == (False, {"evt_done", "evt_ignored", "evt_dead", "evt_new", "evt_young"})
    assert not more
    assert kept(rows) == {"evt_dead", "evt_new", "evt_young"}
    assert len(rows(Event)) == 5


def test_knows_an_event_again_though_its_payload_is_gone(
    world: World, person: Person, postbox: Postbox, rows: Rows, clock: time_machine.Traveller
) -> None:
    postbox.post(event("customer.updated", world.simulator.store.customers[person.stripe_customer_id]))
    world.work()
    clock.shift(timedelta(days=11))
    prune(world.app)

    postbox.post(event("customer.updated", world.simulator.store.customers[person.stripe_customer_id]))
    world.work()

    [found] = [found for found in rows(Event) if found.id == "evt_1"]
    assert (found.state, found.payload) == ("done", "")


@pytest.fixture
def _crowd(app: Flask) -> None:
    """More finished old events than a batch takes."""
    with app.app_context():
        session, old = db.session(), utcnow() - timedelta(days=20)
        app_id = session.scalar(sa.text("SELECT id FROM app"))
        session.add_all(
            Event(
                app_id=app_id,
                id=f"evt_{number}",
                type="invoice.paid",
                payload="{}",
                state="done",
                finished_at=old + timedelta(seconds=number),
            )
            for number in range(BATCH_SIZE + 1)
        )
        session.commit()


@contextmanager
def planning_loops(app: Flask) -> Iterator[None]:
    """Let PostgreSQL plan as for a small table: it looks for each row among those to update."""

    def _prefer(connection: sa.Connection) -> None:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")

    with app.app_context():
        engine = db.engine()
    sa.event.listen(engine, "begin", _prefer)
    yield
    sa.event.remove(engine, "begin", _prefer)


@pytest.mark.usefixtures("_crowd")
def test_continues_batch_by_batch(app: Flask, rows: Rows, clock: time_machine.Traveller) -> None:
    first = prune(app)
    left = kept(rows)
    second = prune(app)

    assert (first, left, second) == (True, {f"evt_{BATCH_SIZE}"}, False)
    assert kept(rows) == set()


@pytest.mark.usefixtures("_crowd")
def test_takes_no_more_than_a_batch_however_it_is_planned(
    app: Flask, database_url: str, rows: Rows, clock: time_machine.Traveller
) -> None:
    if not database_url.startswith("postgresql"):
        pytest.skip("SQLite finds them once")

    with planning_loops(app):
        assert prune(app)

    assert kept(rows) == {f"evt_{BATCH_SIZE}"}


def test_is_done_by_the_worker_by_itself(
    app: Flask, postbox: Postbox, rows: Rows, clock: time_machine.Traveller
) -> None:
    postbox.post(event())
    finish(app, **{"1": "done"})
    clock.shift(timedelta(days=11))
    worker = sync.Worker(app)
    worker.start()

    wait_until(lambda: kept(rows) == set())

    worker.stop()
