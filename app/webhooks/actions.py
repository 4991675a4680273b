"""Taking events in, and finding out whom they concern."""

import json
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import apps, db, payers
from app.db import utcnow
from app.errors import Invalid
from app.webhooks.hints import Hint
from app.webhooks.models import Event

BATCH = 100
UNKNOWN_TRIES = 8  # doubling from one second: about four minutes for our own commit to arrive


def receive(session: Session, app: apps.App, payload: bytes) -> bool:
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
    if body["livemode"] is not app.livemode:
        raise Invalid("This event is of the other mode: test and live are kept apart.")
    session.execute(_insert_or_rearm(session, app.id, body, payload))
    return True


def sort(session: Session) -> int:
    """Look at new events and mark their payers due. Asks Stripe nothing; commits. Returns how many."""
    now = utcnow()
    db.start_write(session)
    _close_orphans(session, now)
    found = session.scalars(
        sa.select(Event)
        .where(Event.state == "new", Event.due_at <= now)
        .order_by(Event.due_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    ).all()
    due: dict[str, datetime] = {}
    for event in found:
        wanted = _sort_one(session, event, now)
        if wanted is not None and event.payer_id is not None:
            due[event.payer_id] = min(wanted, due.get(event.payer_id, wanted))
    for payer_id in sorted(due):  # in one order everywhere: two workers must not wait for each other
        payers.mark_due(session, payer_id, due[payer_id])
    session.commit()
    return len(found)


def _close_orphans(session: Session, now: datetime) -> None:
    """Whoever was deleted or unbound is not converged any more, so nothing waits for that."""
    ended = sa.select(payers.Payer.id).where(payers.Payer.deleted_at.is_not(None))
    session.execute(
        sa.update(Event)
        .where(Event.state == "waiting", Event.payer_id.in_(ended))
        .values(state="ignored", reason="Its customer was deleted or unbound here.", finished_at=now)
        .execution_options(synchronize_session=False)
    )


def waiting(session: Session, payer_id: str) -> list[str]:
    """The events that wait for this payer to be converged."""
    return list(
        session.scalars(sa.select(Event.id).where(Event.payer_id == payer_id, Event.state == "waiting"))
    )


def methods_told_of(session: Session, payer_id: str) -> set[str]:
    """The payment methods (pm_…) of which this payer's waiting events tell."""
    payloads = session.scalars(
        sa.select(Event.payload).where(
            Event.payer_id == payer_id, Event.state == "waiting", Event.type.startswith("payment_method.")
        )
    )
    hints = (Hint.of(json.loads(payload)) for payload in payloads)
    return {str(hint.snapshot["id"]) for hint in hints if hint is not None}


def dismiss_known(session: Session, payer: payers.Payer) -> tuple[int, int]:
    """Finish a payer's waiting events that tell nothing new by now. How many did, and how many did not."""
    found = session.scalars(
        sa.select(Event).where(Event.payer_id == payer.id, Event.state == "waiting")
    ).all()
    now, dismissed = utcnow(), 0
    for event in found:
        hint = Hint.of(json.loads(event.payload))
        if hint is None or not hint.is_news(session, payer):
            _close(event, "done", "It tells nothing new.", now)
            dismissed += 1
    return dismissed, len(found) - dismissed


def finish(session: Session, payer_id: str, event_ids: list[str], *, failed: str | None = None) -> None:
    """Mark events as done, or as dead with what failed."""
    session.execute(
        sa.update(Event)
        .where(Event.payer_id == payer_id, Event.id.in_(event_ids), Event.state == "waiting")
        .values(state="dead" if failed else "done", reason=failed, finished_at=utcnow())
        .execution_options(synchronize_session=False)
    )


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


def _insert_or_rearm(session: Session, app_id: str, body: dict[str, Any], payload: bytes) -> sa.Executable:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    now = utcnow()
    statement = insert(Event).values(
        app_id=app_id,
        id=body["id"],
        type=body["type"],
        payload=payload.decode().replace("\x00", ""),
        state="new",
        received_at=now,
        due_at=now,
        attempts=0,
    )
    return statement.on_conflict_do_update(
        index_elements=["app_id", "id"],
        set_={"state": "new", "due_at": now, "attempts": 0},
        where=Event.state.in_(("new", "dead")),
    )


def _sort_one(session: Session, event: Event, now: datetime) -> datetime | None:
    """Say what becomes of an event, and by when its payer is to be converged if it tells something new."""
    hint = Hint.of(json.loads(event.payload))
    if hint is None:
        _close(event, "ignored", "It has no object with an id.", now)
        return None
    payer = hint.payer(session, event.app_id)
    if payer is None:
        _unknown(event, hint, now)
        return None
    event.payer_id = payer.id
    # While a convergence is under way, our record is about to change: what it tells is judged afterwards.
    if payer.lease is not None or hint.is_news(session, payer):
        event.state, event.reason = "waiting", None
        return now + hint.patience
    _close(event, "done", "It tells nothing new.", now)
    return None


def _unknown(event: Event, hint: Hint, now: datetime) -> None:
    """Stripe may be quicker than our own commit: what bears our mark is looked at again for a while."""
    if not hint.claims_app(event.app_id) or event.attempts >= UNKNOWN_TRIES:
        _close(event, "ignored", "It concerns no customer of ours.", now)
        return
    event.due_at = now + timedelta(seconds=2**event.attempts)
    event.attempts += 1


def _close(event: Event, state: str, reason: str, now: datetime) -> None:
    event.state, event.reason, event.finished_at = state, reason, now
