"""Taking events in: those that Stripe posts, and those that were found in its list."""

import json
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import apps, payers
from app.db import utcnow
from app.errors import Invalid
from app.webhooks.models import Event


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


def receive(session: Session, receiver: apps.Receiver, payload: bytes) -> bool:
    """Store one verified event, once. False when it has not the shape of an event. The caller commits.

    A redelivery of an event that is not finished re-arms it; of a finished one, it changes nothing.
    Raises Invalid for what is no JSON and for an event of the other mode.
    """
    try:
        body = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Invalid("The body is not JSON.") from error
    if not _is_event(body):
        return False
    structlog.contextvars.bind_contextvars(event_id=body["id"])  # for the line of this request in the log
    if body["livemode"] is not receiver.livemode:
        raise Invalid("This event is of the other mode: test and live are kept apart.")
    row = _row(receiver.app_id, body, payload.decode().replace("\x00", ""), "webhook")
    connection = session.connection()
    payer_id = connection.scalar(ARRIVAL[connection.dialect.name], row)
    if payer_id is not None:  # known from the list already, so that it is not sorted again: webhooks do come
        payers.settle_drift(session, payer_id)
    return True


def take_listed(session: Session, app: apps.App, bodies: list[dict[str, Any]]) -> int:
    """Store those events of Stripe's list that no webhook has brought. How many. The caller commits."""
    rows = [_row(app.id, body, json.dumps(body), "backfill") for body in bodies if _is_ours(app, body)]
    if not rows:
        return 0
    stored = session.scalars(_insert(session).values(rows).on_conflict_do_nothing().returning(Event.id))
    return len(stored.all())


def unknown(session: Session, app: apps.App, bodies: list[dict[str, Any]]) -> int:
    """How many events of Stripe's list `take_listed` would store."""
    listed = {body["id"] for body in bodies if _is_ours(app, body)}
    known = session.scalars(sa.select(Event.id).where(Event.app_id == app.id, Event.id.in_(listed)))
    return len(listed - set(known))


def _is_event(body: Any) -> bool:
    return (
        isinstance(body, dict)
        and isinstance(body.get("id"), str)
        and 0 < len(body["id"]) <= 255
        and isinstance(body.get("type"), str)
        and 0 < len(body["type"]) <= 255
        and isinstance(body.get("livemode"), bool)
        and "\x00" not in body["id"] + body["type"]
        and (body["id"] + body["type"]).isprintable()
    )


def _is_ours(app: apps.App, body: Any) -> bool:
    return _is_event(body) and body["livemode"] is app.livemode


def _insert(session: Session) -> Any:
    is_postgresql = session.get_bind().dialect.name == "postgresql"
    return postgresql.insert(Event) if is_postgresql else sqlite.insert(Event)


def _row(app_id: str, body: dict[str, Any], payload: str, origin: str) -> dict[str, Any]:
    now = utcnow()
    return {
        "app_id": app_id,
        "id": body["id"],
        "type": body["type"],
        "origin": origin,
        "payload": payload,
        "state": "new",
        "received_at": now,
        "due_at": now,
        "attempts": 0,
    }
