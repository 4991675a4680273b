"""The inbox in the console, as an operator reads it."""

import sqlalchemy as sa
from flask import Flask

from app.audit import Entry
from app.core import db
from app.webhooks import Event
from tests.support.rows import Rows


def change(app: Flask, event_id: str = "", **values: object) -> None:
    """Have events be something, one or all."""
    with app.app_context():
        change = sa.update(Event).values(**values)
        db.session().execute(change.where(Event.id == event_id) if event_id else change)
        db.session().commit()


def address_of(rows: Rows, event_id: str = "evt_1") -> str:
    """The page of an event."""
    [found] = [found for found in rows(Event) if found.id == event_id]
    return f"/operator/events/{found.app_id}/{event_id}"


def notes(rows: Rows, kind: str) -> list[Entry]:
    return [entry for entry in rows(Entry) if entry.kind == kind]
