"""Dispatch new events: find the payer of each and make it due. This asks Stripe nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import apps, payers
from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.payers import Payer
from app.webhooks.decline_limit import DECLINED, over_limit
from app.webhooks.hints import NOBODY, Hint
from app.webhooks.models import Event
from app.webhooks.parsing import reason_to_ignore
from app.webhooks.records import Records
from app.webhooks.waiting import KNOWN

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
    with session.no_autoflush:  # one statement at the end stores what became of all
        news = _judge_safely(session, found, now)
    _tell_payers(session, found, news)
    session.commit()
    return len(found)


def _tell_payers(session: Session, found: Sequence[Event], news: dict[str, datetime]) -> None:
    """Make payers due. Most events on a busy Stripe account concern no payer here, and need no statement."""
    concerned = {event.payer_id for event in found if event.payer_id}
    if not concerned:
        return
    payers.lock(session, concerned)
    for at in sorted(set(news.values())):
        payers.mark_due(session, *(payer_id for payer_id, due in news.items() if due == at), at=at, why=None)
    delivered = {event.payer_id for event in found if event.origin == "webhook"}
    payers.settle_drift(session, *filter(None, delivered))


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
    reason = "Its customer was deleted or unbound here."
    closed = statements.update_all(
        session, Event, of_ended, state="ignored", reason=reason, finished_at=utcnow()
    )
    session.commit()
    return closed


def _judge_safely(session: Session, found: Sequence[Event], now: datetime) -> dict[str, datetime]:
    """Judge all events together. A malformed one must not hold up the others: then judge each alone."""
    try:
        return _judge(session, found, now)
    except SQLAlchemyError:
        raise
    except Exception:  # noqa: BLE001  # pragma: no cover (a bug: no input is known that leads here)
        news: dict[str, datetime] = {}
        for event in found:
            try:
                news |= _judge(session, [event], now)
            except Exception:
                log.exception("event_not_processed", event_id=event.id)
                _close(event, "dead", "It could not be processed. The log says why.", now)
        return news


def _judge(session: Session, found: Sequence[Event], now: datetime) -> dict[str, datetime]:
    """Set the state of each event. Return by when to converge the payers of those that may bring news."""
    modes = apps.modes(session, {event.app_id for event in found})
    hints = {event: _hint(event, modes[event.app_id], now) for event in found}
    read = {event: hint for event, hint in hints.items() if hint is not None}
    records = Records(session, [(event.app_id, hint) for event, hint in read.items()])
    whose = {event: hint.payer(records, event.app_id) for event, hint in read.items()}
    for event, payer in whose.items():
        event.payer_id = payer.id if payer else None
    declined = {payer for event, payer in whose.items() if payer and event.type == DECLINED}
    if declined:
        session.flush()  # these attempts count, too
    over = over_limit(session, declined)
    news: dict[str, datetime] = {}
    for event, hint in read.items():
        payer = whose[event]
        is_over = payer is not None and payer.id in over and hint.type == DECLINED
        at = _dispatch_one(event, hint, payer, records, now, is_over=is_over)
        if payer is not None and at is not None:
            news[payer.id] = min(at, news.get(payer.id, at))
    return news


def _hint(event: Event, livemode: bool, now: datetime) -> Hint | None:  # noqa: FBT001
    """Read an event, or close it when it tells us nothing."""
    reason = reason_to_ignore(event.payload, event.body, livemode=livemode)
    hint = Hint.of(event.body) if reason is None else None
    if hint is None:
        _close(event, "ignored", reason or "It has no object with an id.", now)
    return hint


def _dispatch_one(
    event: Event, hint: Hint, payer: Payer | None, records: Records, now: datetime, *, is_over: bool
) -> datetime | None:
    """Set the state of an event. If it may bring news, return by when to converge its payer."""
    if payer is None:
        _unknown(event, hint, now)
        return None
    # While a convergence runs, our record is about to change: judge the event afterwards.
    if payer.lease is not None or is_over or hint.is_news(records, payer):
        event.state, event.reason = "waiting", None
        return now + hint.delay
    _close(event, "done", KNOWN, now)
    return None


def _unknown(event: Event, hint: Hint, now: datetime) -> None:
    """Retry an event that may be ours for a while: Stripe may be faster than our own commit."""
    may_be_ours = hint.claims_app(event.app_id) or hint.names_no_customer
    if not may_be_ours or event.attempts >= MAX_UNKNOWN_ATTEMPTS:
        _close(event, "ignored", NOBODY, now)
        return
    event.due_at = now + timedelta(seconds=2**event.attempts)
    event.attempts += 1


def _close(event: Event, state: str, reason: str, now: datetime) -> None:
    event.state, event.reason, event.finished_at = state, reason, now
