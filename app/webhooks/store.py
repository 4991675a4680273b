"""Store events: those that Stripe posts, and those from its list."""

import json
from functools import cache
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app import apps, payers
from app.core import db
from app.core.db import utcnow
from app.webhooks.models import Event
from app.webhooks.parsing import ParsedEvent, is_event, parse, parse_bytes


@cache
def _arrival(dialect: str) -> Any:
    """Build it once: that takes longer than running it, and it runs for every event."""
    arrived = db.insert_into(Event, dialect)
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


def store_verified(session: Session, receiver: apps.Receiver, payload: bytes) -> str | None:
    """Store one verified body, once. Return why we ignore it, or None. The caller commits.

    Never refuse what Stripe signed: without a 2xx it repeats it for days. Store what is not an event
    or is in the other mode as ignored. A redelivery retries an unfinished event only.
    """
    text, parsed = parse_bytes(payload, livemode=receiver.livemode)
    structlog.contextvars.bind_contextvars(event_id=parsed.id)  # for this request's line in the log
    row = event_row(receiver.app_id, parsed, text, "webhook")
    if parsed.ignored_because is not None:
        session.execute(db.insert(session, Event).values(row).on_conflict_do_nothing())
        return parsed.ignored_because
    connection = session.connection()
    payer_id = connection.scalar(_arrival(connection.dialect.name), row)
    if payer_id is not None:  # we had it from the list, so it is not dispatched again
        payers.settle_drift(session, payer_id)
    return None


def store_listed(session: Session, app: apps.App, bodies: list[dict[str, Any]]) -> int:
    """Store the events of Stripe's list that no webhook delivered. Return how many. The caller commits."""
    parsed_events = [parse(json.dumps(body), livemode=app.livemode) for body in bodies if _is_ours(app, body)]
    parsed_events.sort(key=lambda parsed: parsed.id)  # the order in which `store_new` inserts, too
    rows = [event_row(app.id, parsed, json.dumps(parsed.body), "backfill") for parsed in parsed_events]
    if not rows:
        return 0
    stored = session.scalars(
        db.insert(session, Event).values(rows).on_conflict_do_nothing().returning(Event.id)
    )
    return len(stored.all())


def count_unknown(session: Session, app: apps.App, bodies: list[dict[str, Any]]) -> int:
    """Count the events that `store_listed` would store."""
    listed = {body["id"] for body in bodies if _is_ours(app, body)}
    known = session.scalars(sa.select(Event.id).where(Event.app_id == app.id, Event.id.in_(listed)))
    return len(listed - set(known))


def _is_ours(app: apps.App, body: Any) -> bool:
    return is_event(body) and body["livemode"] is app.livemode


def event_row(app_id: str, parsed: ParsedEvent, payload: str, origin: str) -> dict[str, Any]:
    """Return the values of a new event's row."""
    now = utcnow()
    row = {
        "app_id": app_id,
        "id": parsed.id,
        "type": parsed.type,
        "origin": origin,
        "payload": payload,
        "state": "new",
        "received_at": now,
        "due_at": now,
        "attempts": 0,
        "reason": None,
        "finished_at": None,
    }
    if parsed.ignored_because is not None:
        row |= {"state": "ignored", "reason": parsed.ignored_because, "finished_at": now}
    return row
