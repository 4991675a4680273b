"""Each worker says that it runs, so that a portal without one is noticed."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask

from app import sync
from app.core import db
from app.core.db import utcnow
from app.sync import WorkerHeartbeat
from tests.support.processes import wait_until
from tests.support.rows import Rows


def workers(app: Flask) -> int:
    with app.app_context():
        return sync.worker_threads(db.session())


def test_the_threads_of_all_workers_are_counted(app: Flask) -> None:
    first, second = sync.Worker(app, threads=2), sync.Worker(app)
    first.start()
    second.start()

    wait_until(lambda: workers(app) == 3)

    first.stop()
    assert workers(app) == 1
    second.stop()
    assert workers(app) == 0


def test_a_worker_that_was_killed_is_missed_and_later_forgotten(
    app: Flask, rows: Rows, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        db.session().add(WorkerHeartbeat(id="killed", threads=4))
        db.session().commit()
    running = workers(app)
    clock.shift(timedelta(minutes=2))
    missed = workers(app)
    clock.shift(timedelta(days=2))
    alive = sync.Worker(app)
    alive.start()

    wait_until(lambda: "killed" not in {beat.id for beat in rows(WorkerHeartbeat)})

    alive.stop()
    assert (running, missed) == (4, 0)


def test_a_worker_that_continues_is_seen_again(app: Flask) -> None:
    worker = sync.Worker(app)
    worker.start()
    wait_until(lambda: workers(app) == 1)
    with app.app_context():
        long_ago = utcnow() - timedelta(minutes=5)
        db.session().execute(sa.update(WorkerHeartbeat).values(seen_at=long_ago))
        db.session().commit()
    worker._heartbeat_at = 0.0  # fifteen seconds have passed
    worker.wake()

    wait_until(lambda: workers(app) == 1)

    worker.stop()
