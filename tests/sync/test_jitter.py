"""Waits are never all the same: who was turned away in one instant does not come back in one instant."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa

from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.gateway import StripeKeyRejected
from app.payers import Payer
from app.sync import Backfill, RateBudget, schedule, throttle
from app.sync.backfill import request_all_lists
from tests.support.stripe_calls import StripeCalls
from tests.support.world import World

MANY = 20
REFUSED = {"type": "invalid_request_error", "message": "No such type.", "param": "types"}


# Time stands still here: whatever differs, differs by chance.
pytestmark = pytest.mark.usefixtures("frozen")


def of_a_payer_that_failed(_world: World) -> timedelta:
    return schedule.retry_delay(6)


def of_an_app_that_failed(world: World) -> timedelta:
    with world.app.app_context():
        session = db.session()
        throttle.note_failure(
            session, session.scalars(sa.select(App.id)).one(), StripeKeyRejected("Rejected.")
        )
        until = session.scalars(sa.select(RateBudget.paused_until)).one()
    assert until is not None
    return until - utcnow()  # and it is forgotten


def of_a_list(world: World) -> timedelta:
    with world.app.app_context():
        request_all_lists(db.session())
    world.run_maintenance()
    with world.app.app_context():
        return db.session().scalars(sa.select(Backfill.next_run_at)).one() - utcnow()


def of_a_list_that_failed(world: World) -> timedelta:
    StripeCalls.of(world.simulator).refusals["GET /v1/events"] = REFUSED
    return of_a_list(world)


def of_a_look_by_the_clock(world: World) -> timedelta:
    with world.app.app_context():
        session = db.session()
        payer_id = session.scalars(sa.select(Payer.id)).first() or world.person().payer.id
        session.execute(sa.update(Payer).values(due_at=None))
        schedule.check_within(session, payer_id, timedelta(minutes=1), why="verify")
        session.commit()
        due_at = session.scalars(sa.select(Payer.due_at)).one()
    assert due_at is not None
    return due_at - utcnow()


@pytest.mark.parametrize(
    ("wait", "least", "most"),
    [
        (of_a_payer_that_failed, 32, 64),
        (of_an_app_that_failed, 0.5, 1),
        (of_a_look_by_the_clock, 0, 60),
        (of_a_list, 0.9 * 900, 900),
        (of_a_list_that_failed, 30, 60),
    ],
)
def test_differ_within_bounds(
    world: World, wait: Callable[[World], timedelta], least: float, most: float
) -> None:
    waits = {wait(world).total_seconds() for _ in range(MANY)}

    assert len(waits) > 1
    assert least <= min(waits)
    assert max(waits) <= most
