"""A backfill, and what it leaves in the database."""

from typing import Any

import sqlalchemy as sa
from flask import Flask

from app import sync
from app.apps import App
from app.core import db
from app.gateway import EVENTS
from app.sync import Backfill, BackfillResult
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.world import World

INTERVAL, LEASE_DURATION = 900, 60
LIST = "GET /v1/events"


def looks(app: Flask, **wanted: Any) -> BackfillResult:
    """Look through the whole list now."""
    with app.app_context():
        session = db.session()
        return sync.backfill(session, session.scalars(sa.select(App)).one(), **wanted)


def row(rows: Rows) -> Backfill:
    """How far it has come."""
    [found] = rows(Backfill)
    assert isinstance(found, Backfill)
    return found


def is_priority(found: dict[str, Any]) -> bool:
    """Is this one of the kinds of events that we ask Stripe for?"""
    return found["type"] in EVENTS


def many(world: World, number: int) -> Person:
    """Somebody who brings about so many events; the last one is the only one that matters."""
    person = world.person()
    for _ in range(number):
        person.save_card("4000000000000002")
    person.save_card()
    return person
