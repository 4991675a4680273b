"""Finding out whom new events concern. Stripe is not asked here."""

from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import apps, payers
from app.core import db
from app.core.db import utcnow
from app.payers import Payer
from app.webhooks.declines import is_last_straw
from app.webhooks.hints import Hint
from app.webhooks.models import Event
from app.webhooks.reading import read

log = structlog.get_logger("gangway.webhooks")

BATCH = 100
UNKNOWN_TRIES = 8  # doubling from one second: about four minutes for our own commit to arrive


def sort(session: Session) -> int:
    """Look at new events and mark their payers due. Asks Stripe nothing; commits. Returns how many."""
    now = utcnow()
    new = sa.select(Event).where(Event.state == "new", Event.due_at <= now)
    is_any = session.scalar(sa.select(new.exists()))
    db.end_read(session)
    if not is_any:
        return 0
    db.start_write(session)
    found = session.scalars(new.order_by(Event.due_at).limit(BATCH).with_for_update(skip_locked=True)).all()
    due: dict[str, datetime | None] = {}
    for event in found:
        wanted = _sorted(session, event, now)
        if event.payer_id is not None:
            due[event.payer_id] = min(filter(None, (wanted, due.get(event.payer_id))), default=None)
    told = {event.payer_id for event in found if event.origin == "webhook"}
    for payer_id in sorted(due):  # in one order everywhere: two workers must not wait for each other
        if (at := due[payer_id]) is not None:
            payers.mark_due(session, payer_id, at, why=None)
        if payer_id in told:
            payers.settle_drift(session, payer_id)
    session.commit()
    return len(found)


def close_orphans(session: Session) -> int:
    """Finish the events that wait for somebody who was deleted or unbound and is converged no more. Commits.

    To be called when all else is done: few events wait then, and each is looked at. Returns how many.
    """
    ended = sa.select(Payer.id).where(Payer.id == Event.payer_id, Payer.deleted_at.is_not(None))
    orphans = sa.and_(Event.state == "waiting", ended.exists())
    is_any = session.scalar(sa.select(sa.select(Event).where(orphans).exists()))
    db.end_read(session)
    if not is_any:
        return 0
    db.start_write(session)
    closed = session.scalars(
        sa.update(Event)
        .where(orphans)
        .values(state="ignored", reason="Its customer was deleted or unbound here.", finished_at=utcnow())
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.commit()
    return len(closed)


def _sorted(session: Session, event: Event, now: datetime) -> datetime | None:
    """Sort one event; one that is odder than we thought must not hold up the others for ever."""
    try:
        return _sort_one(session, event, now)
    except SQLAlchemyError:
        raise
    except Exception:  # pragma: no cover (a bug: no input is known that leads here)
        log.exception("event_not_understood", event_id=event.id)
        _close(event, "dead", "It could not be understood; the log says why.", now)
        return None


def _sort_one(session: Session, event: Event, now: datetime) -> datetime | None:
    """Say what becomes of an event, and by when its payer is to be converged if it tells something new."""
    reading = read(event.payload, livemode=apps.by_id(session, event.app_id).livemode)
    hint = Hint.of(reading.body)
    if reading.ignored_because is not None or hint is None:  # an operator had it looked at once more
        _close(event, "ignored", reading.ignored_because or "It has no object with an id.", now)
        return None
    payer = hint.payer(session, event.app_id)
    if payer is None:
        _unknown(event, hint, now)
        return None
    event.payer_id = payer.id
    # While a convergence is under way, our record is about to change: what it tells is judged afterwards.
    if payer.lease is not None or hint.is_news(session, payer) or is_last_straw(session, payer, hint.type):
        event.state, event.reason = "waiting", None
        return now + hint.patience
    _close(event, "done", "It tells nothing new.", now)
    return None


def _unknown(event: Event, hint: Hint, now: datetime) -> None:
    """Stripe may be quicker than our own commit: what may be ours is looked at again for a while."""
    may_be_ours = hint.claims_app(event.app_id) or hint.names_no_customer
    if not may_be_ours or event.attempts >= UNKNOWN_TRIES:
        _close(event, "ignored", "It concerns no customer of ours.", now)
        return
    event.due_at = now + timedelta(seconds=2**event.attempts)
    event.attempts += 1


def _close(event: Event, state: str, reason: str, now: datetime) -> None:
    event.state, event.reason, event.finished_at = state, reason, now
