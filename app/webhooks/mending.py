"""What an operator does about events: have one looked at again, or say that it needs nothing."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import audit, payers
from app.core import db
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid, NotFound
from app.webhooks.models import Event

MAY_BE_RETRIED = ("dead", "ignored")
MAY_BE_IGNORED = ("new", "waiting", "dead")
REASON_LONGEST = 500
SAID_BY_AN_OPERATOR = "An operator decided so: "


def retry(session: Session, app_id: str, event_id: str, *, actor: str) -> None:
    """Have a dead or ignored event looked at as if it had come just now. Flushes.

    Raises NotFound, and Conflict when it is in another state or its payload is no longer kept.
    """
    event = _locked(session, app_id, event_id)
    if event.state not in MAY_BE_RETRIED:
        raise Conflict(f"This event is {event.state}: only one that failed or was ignored can be retried.")
    if not event.payload:
        raise Conflict("The payload of this event is no longer kept. Check the customer with Stripe instead.")
    event.state, event.due_at, event.attempts = "new", utcnow(), 0
    event.reason = event.finished_at = None
    _note(session, event, "event.retried", actor=actor)
    session.flush()
    if event.payer_id is not None:
        payers.mark_due(session, event.payer_id, utcnow(), why=None, afresh=True)


def ignore(session: Session, app_id: str, event_id: str, reason: str, *, actor: str) -> None:
    """Have nothing more happen because of an event, and keep why. Flushes.

    Its customer is converged all the same if it is due: that does no harm, and other events may want it.
    Raises Invalid without a reason, NotFound, and Conflict when the event is finished already.
    """
    reason = " ".join(reason.split())
    if not reason or len(reason) > REASON_LONGEST:
        said = f"Say in 1 to {REASON_LONGEST} characters why nothing needs to happen."
        raise Invalid(said, fields={"reason": said})
    event = _locked(session, app_id, event_id)
    if event.state not in MAY_BE_IGNORED:
        raise Conflict(f"This event is {event.state} already.")
    event.state, event.reason, event.finished_at = "ignored", SAID_BY_AN_OPERATOR + reason, utcnow()
    _note(session, event, "event.ignored", actor=actor, reason=reason)
    session.flush()


def retry_all_failed(session: Session, *, actor: str, app_id: str | None = None) -> int:
    """Have every dead event, or those of one app, looked at again. How many there were. Flushes."""
    db.start_write(session)
    keys = sa.tuple_(Event.app_id, Event.id)
    # Rows that someone else changes at this moment are stepped over: two who press the button at once must
    # not wait for each other, and a redelivery re-arms its event anyway.
    dead = sa.select(Event.app_id, Event.id).where(Event.state == "dead").with_for_update(skip_locked=True)
    if app_id is not None:
        dead = dead.where(Event.app_id == app_id)
    rearmed = session.execute(
        sa.update(Event)
        .where(keys.in_(dead), Event.state == "dead")
        .values(state="new", due_at=utcnow(), attempts=0, reason=None, finished_at=None)
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    )
    count = len(rearmed.all())
    if count:
        audit.note(session, "events.retried", actor=actor, app_id=app_id, count=str(count))
    session.flush()
    return count


def _locked(session: Session, app_id: str, event_id: str) -> Event:
    """The event, so that no worker and no redelivery changes it until the commit. Raises NotFound."""
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
