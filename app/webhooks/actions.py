"""What an operator does with events: retry one, all failed ones, or ignore one."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import audit, payers
from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid, NotFound
from app.webhooks.models import Event

RETRYABLE_STATES = ("dead", "ignored")
IGNORABLE_STATES = ("new", "waiting", "dead")
MAX_REASON_LENGTH = 500
OPERATOR_PREFIX = "An operator decided so: "


def retry(session: Session, app_id: str, event_id: str, *, actor: str) -> None:
    """Process a dead or ignored event as if it had just arrived. Flushes.

    Raises NotFound. Raises Conflict when it is in another state, or its payload was deleted.
    """
    event = _locked(session, app_id, event_id)
    if event.state not in RETRYABLE_STATES:
        raise Conflict(
            f"This event is {event.state}. Only events that failed or were ignored can be retried."
        )
    if not event.payload:
        raise Conflict("The payload of this event was deleted. Check the customer with Stripe instead.")
    event.state, event.due_at, event.attempts = "new", utcnow(), 0
    event.reason = event.finished_at = None
    _note(session, event, "event.retried", actor=actor)
    session.flush()
    if event.payer_id is not None:
        payers.mark_due(session, event.payer_id, at=utcnow(), why=None, afresh=True)


def ignore(session: Session, app_id: str, event_id: str, reason: str, *, actor: str) -> None:
    """Ignore an event from now on, and store the reason. Flushes.

    Its payer stays due, which does no harm and may serve other events. Raises Invalid without a reason,
    NotFound, and Conflict when the event is finished.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > MAX_REASON_LENGTH:
        sentence = f"Say in 1 to {MAX_REASON_LENGTH} characters why nothing needs to happen."
        raise Invalid(sentence, fields={"reason": sentence})
    event = _locked(session, app_id, event_id)
    if event.state not in IGNORABLE_STATES:
        raise Conflict(f"This event is already {event.state}.")
    event.state, event.reason, event.finished_at = "ignored", OPERATOR_PREFIX + reason, utcnow()
    _note(session, event, "event.ignored", actor=actor, reason=reason)
    session.flush()


def retry_all_failed(session: Session, *, actor: str, app_id: str | None = None) -> int:
    """Retry every dead event, or those of one app. Return how many. Flushes."""
    db.start_write(session)
    keys = sa.tuple_(Event.app_id, Event.id)
    # Skip rows that somebody else changes now: two operators who press the button together must not wait for
    # each other, and a redelivery retries its event anyway.
    dead = sa.select(Event.app_id, Event.id).where(Event.state == "dead").with_for_update(skip_locked=True)
    if app_id is not None:
        dead = dead.where(Event.app_id == app_id)
    values = {"state": "new", "due_at": utcnow(), "attempts": 0, "reason": None, "finished_at": None}
    count = statements.update_all(session, Event, keys.in_(dead), Event.state == "dead", **values)
    if count:
        audit.note(session, "events.retried", actor=actor, app_id=app_id, count=str(count))
    session.flush()
    return count


def _locked(session: Session, app_id: str, event_id: str) -> Event:
    """Return the event, locked until the commit. Raises NotFound."""
    db.start_write(session)
    event = session.scalar(
        sa.select(Event)
        .where(Event.app_id == app_id, Event.id == event_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if event is None:
        raise NotFound("There is no such event.")
    return event


def _note(session: Session, event: Event, kind: str, *, actor: str, **facts: str | None) -> None:
    payer = session.get(payers.Payer, event.payer_id) if event.payer_id else None
    audit.note(
        session,
        kind,
        actor=actor,
        customer_id=payer.customer_id if payer else None,
        app_id=event.app_id,
        event_id=event.id,
        event_type=event.type,
        **facts,
    )
