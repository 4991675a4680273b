"""Taking events in: those that Stripe posts, and those that were found in its list."""

import json
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import apps, payers
from app.core.db import utcnow
from app.webhooks.models import Event
from app.webhooks.reading import Reading, is_event, read


def _arrival(insert: Any) -> Any:
    arrived = insert(Event)
    is_unfinished = Event.state.in_(("new", "dead"))
    kept = {
        name: sa.case((is_unfinished, arrived.excluded[name]), else_=getattr(Event, name))
        for name in ("state", "due_at", "attempts", "finished_at")
    }
    taken = arrived.on_conflict_do_update(
        index_elements=["app_id", "id"],
        set_=kept | {"origin": arrived.excluded.origin},
        where=sa.or_(is_unfinished, Event.origin == "backfill"),
    )
    return taken.returning(Event.payer_id)


# Built once: to build it takes longer than to run it, and it is run for every event.
ARRIVAL = {"postgresql": _arrival(postgresql.insert), "sqlite": _arrival(sqlite.insert)}


def receive(session: Session, receiver: apps.Receiver, payload: bytes) -> str | None:
    """Store one verified body, once. Why it is ignored, if it is. The caller commits.

    Stripe repeats for days what gets no 2xx, so what it signed is never refused. What is no event, or is of
    the other mode, is stored as ignored. A redelivery of an event that is not finished re-arms it; of a
    finished one, it changes nothing.
    """
    text = payload.decode()
    reading = read(text, livemode=receiver.livemode)
    structlog.contextvars.bind_contextvars(event_id=reading.id)  # for the line of this request in the log
    row = _row(receiver.app_id, reading, text.replace("\x00", ""), "webhook")
    if reading.ignored_because is not None:
        session.execute(_insert(session).values(row).on_conflict_do_nothing())
        return reading.ignored_because
    connection = session.connection()
    payer_id = connection.scalar(ARRIVAL[connection.dialect.name], row)
    if payer_id is not None:  # known from the list already, so that it is not sorted again: webhooks do come
        payers.settle_drift(session, payer_id)
    return None


def take_listed(session: Session, app: apps.App, bodies: list[dict[str, Any]]) -> int:
    """Store those events of Stripe's list that no webhook has brought. How many. The caller commits."""
    readings = [read(json.dumps(body), livemode=app.livemode) for body in bodies if _is_ours(app, body)]
    rows = [_row(app.id, reading, json.dumps(reading.body), "backfill") for reading in readings]
    if not rows:
        return 0
    stored = session.scalars(_insert(session).values(rows).on_conflict_do_nothing().returning(Event.id))
    return len(stored.all())


def unknown(session: Session, app: apps.App, bodies: list[dict[str, Any]]) -> int:
    """How many events of Stripe's list `take_listed` would store."""
    listed = {body["id"] for body in bodies if _is_ours(app, body)}
    known = session.scalars(sa.select(Event.id).where(Event.app_id == app.id, Event.id.in_(listed)))
    return len(listed - set(known))


def _is_ours(app: apps.App, body: Any) -> bool:
    return is_event(body) and body["livemode"] is app.livemode


def _insert(session: Session) -> Any:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(Event) if is_postgresql else sqlite.insert(Event)


def _row(app_id: str, reading: Reading, payload: str, origin: str) -> dict[str, Any]:
    now = utcnow()
    row = {
        "app_id": app_id,
        "id": reading.id,
        "type": reading.type,
        "origin": origin,
        "payload": payload,
        "state": "new",
        "received_at": now,
        "due_at": now,
        "attempts": 0,
    }
    if reading.ignored_because is not None:
        row |= {"state": "ignored", "reason": reading.ignored_because, "finished_at": now}
    return row
