"""Dispatch new events: find the payer of each and make it due. This asks Stripe nothing."""

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import apps, payers
from app.core import db
from app.core.db import utcnow
from app.payers import Payer
from app.webhooks.declines import reaches_limit
from app.webhooks.hints import Hint
from app.webhooks.models import Event
from app.webhooks.parsing import reason_to_ignore

log = structlog.get_logger("gangway.webhooks")

BATCH_SIZE = 100
MAX_UNKNOWN_ATTEMPTS = 8  # doubling from one second: our own commit has about four minutes


def dispatch(session: Session) -> int:
    """Dispatch a batch of new events and make their payers due. Return how many. Commits."""
    now = utcnow()
    new = sa.select(Event).where(Event.state == "new", Event.due_at <= now)
    is_any = session.scalar(sa.select(new.exists()))
    db.end_read(session)
    if not is_any:
        return 0
    db.start_write(session)
    found = session.scalars(
        new.order_by(Event.due_at).limit(BATCH_SIZE).with_for_update(skip_locked=True)
    ).all()
    due: dict[str, datetime | None] = {}
    for event in found:
        criteria = _dispatch_safely(session, event, now)
        if event.payer_id is not None:
            due[event.payer_id] = min(filter(None, (criteria, due.get(event.payer_id))), default=None)
    delivered = {event.payer_id for event in found if event.origin == "webhook"}
    for payer_id in sorted(due):  # in a fixed order, or two workers may wait for each other
        if (at := due[payer_id]) is not None:
            payers.mark_due(session, payer_id, at, why=None)
        if payer_id in delivered:
            payers.settle_drift(session, payer_id)
    session.commit()
    return len(found)


def close_ended(session: Session) -> int:
    """Finish the waiting events of payers that have ended. Return how many. Commits.

    Call it when nothing else is due: then few events wait, and it looks at each.
    """
    ended = sa.select(Payer.id).where(Payer.id == Event.payer_id, Payer.deleted_at.is_not(None))
    of_ended = sa.and_(Event.state == "waiting", ended.exists())
    is_any = session.scalar(sa.select(sa.select(Event).where(of_ended).exists()))
    db.end_read(session)
    if not is_any:
        return 0
    db.start_write(session)
    closed = session.scalars(
        sa.update(Event)
        .where(of_ended)
        .values(state="ignored", reason="Its customer was deleted or unbound here.", finished_at=utcnow())
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.commit()
    return len(closed)


def _dispatch_safely(session: Session, event: Event, now: datetime) -> datetime | None:
    """Dispatch one event. A malformed event must not hold up the others."""
    try:
        return _dispatch_one(session, event, now)
    except SQLAlchemyError:
        raise
    except Exception:  # pragma: no cover (a bug: no input is known that leads here)
        log.exception("event_not_processed", event_id=event.id)
        _close(event, "dead", "It could not be processed. The log says why.", now)
        return None


def _dispatch_one(session: Session, event: Event, now: datetime) -> datetime | None:
    """Set the state of an event. If it may bring news, return by when to converge its payer."""
    reason = reason_to_ignore(event.payload, event.body, livemode=apps.by_id(session, event.app_id).livemode)
    hint = Hint.of(event.body) if reason is None else None
    if hint is None:
        _close(event, "ignored", reason or "It has no object with an id.", now)
        return None
    payer = hint.payer(session, event.app_id)
    if payer is None:
        _unknown(event, hint, now)
        return None
    event.payer_id = payer.id
    # While a convergence runs, our record is about to change: judge the event afterwards.
    if payer.lease is not None or hint.is_news(session, payer) or reaches_limit(session, payer, hint.type):
        event.state, event.reason = "waiting", None
        return now + hint.delay
    _close(event, "done", "It tells nothing new.", now)
    return None


def _unknown(event: Event, hint: Hint, now: datetime) -> None:
    """Retry an event that may be ours for a while: Stripe may be faster than our own commit."""
    may_be_ours = hint.claims_app(event.app_id) or hint.names_no_customer
    if not may_be_ours or event.attempts >= MAX_UNKNOWN_ATTEMPTS:
        _close(event, "ignored", "It concerns none of our customers.", now)
        return
    event.due_at = now + timedelta(seconds=2**event.attempts)
    event.attempts += 1


def _close(event: Event, state: str, reason: str, now: datetime) -> None:
    event.state, event.reason, event.finished_at = state, reason, now
