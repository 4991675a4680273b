"""At what pace Stripe is asked: for each app a budget of all workers together, and pauses in trouble."""

from datetime import datetime, timedelta
from random import SystemRandom

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.apps import App
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.core.sealing import Unsealable
from app.gateway import StripeKeyRejected, StripePermissionMissing, StripeUnavailable
from app.sync.models import Pace

BURST = timedelta(seconds=1)  # what was not asked in the last second may be asked at once
BORNE = 2  # failures in a row without a reason that may be chance, and one customer's only
LONGEST_PAUSE = 60.0  # seconds; then one try tells whether it works again
KEYS_FAULT = (StripeKeyRejected, StripePermissionMissing, Unsealable)  # no customer's, and not Stripe's
_dice = SystemRandom()


def may_ask(now: datetime) -> sa.ColumnElement[bool]:
    """For a query of apps, outer-joined with their pace: which may ask Stripe now?"""
    return sa.and_(
        App.deleted_at.is_(None),
        sa.or_(Pace.free_at.is_(None), Pace.free_at <= now),
        sa.or_(Pace.paused_until.is_(None), Pace.paused_until <= now),
    )


def take(session: Session, app_id: str, now: datetime, *, calls: int) -> bool:
    """Take that many calls from an app's budget, unless it is used up or the app pauses. Flushes.

    Until the commit, other workers wait for their turn with this app; none waits for Stripe meanwhile.
    """
    pace = _of(session, app_id, now)
    if pace.free_at > now or (pace.paused_until is not None and pace.paused_until > now):
        return False
    pace.served_at = now
    rate = settings().calls_per_second
    if rate is not None:
        pace.free_at = max(pace.free_at, now - BURST) + timedelta(seconds=calls / rate)
    session.flush()
    return True


def charge(session: Session, app_id: str, calls: int) -> None:
    """Charge an app's budget for calls beyond those that were taken from it beforehand, if any. Flushes."""
    rate = settings().calls_per_second
    if rate is None or calls <= 0:
        return
    now = utcnow()
    pace = _of(session, app_id, now)
    pace.free_at = max(pace.free_at, now - BURST) + timedelta(seconds=calls / rate)
    session.flush()


def take_verification(session: Session, app_id: str, now: datetime, *, every: timedelta) -> bool:
    """Is it time to choose whom to verify, and has no other worker done so just now? Flushes."""
    pace = _of(session, app_id, now)
    if pace.verified_at is not None and pace.verified_at > now - every:
        return False
    pace.verified_at = now
    session.flush()
    return True


def count_drifts(session: Session, app_id: str, number: int) -> None:
    """Count changes of which no event told. Flushes."""
    _of(session, app_id, utcnow()).drifts += number
    session.flush()


def note_failure(session: Session, app_id: str, error: AppError) -> None:
    """Pause an app when the failure is not one customer's but all its customers'. Flushes.

    A key that lacks something pauses it at once, and so does Stripe when it asks to be left alone; calls that
    failed without a reason do once more than `BORNE` of them did in a row. The pauses grow with each failure
    in a row, and are as long as Stripe asks for, if it does.
    """
    if not isinstance(error, (StripeUnavailable, *KEYS_FAULT)):
        return
    asked_for = error.retry_after if isinstance(error, StripeUnavailable) else None
    now = utcnow()
    pace = _of(session, app_id, now)
    if asked_for is None and pace.paused_until is not None and pace.paused_until > now:
        return  # somebody who looks during a pause does not make it longer
    pace.failures += 1
    may_be_chance = isinstance(error, StripeUnavailable) and asked_for is None
    if pace.failures > BORNE or not may_be_chance:
        wait = min(2.0 ** (pace.failures - 1), LONGEST_PAUSE) * _dice.uniform(0.5, 1.0)
        until = now + timedelta(seconds=max(wait, asked_for or 0.0))
        pace.paused_until = max(until, pace.paused_until or until)
        pace.is_throttled = asked_for is not None
    session.flush()


def note_success(session: Session, app_id: str) -> None:
    """End an app's pause, but for one that Stripe itself asked for: that answer may be the older one."""
    session.execute(
        sa.update(Pace)
        .where(Pace.app_id == app_id, Pace.failures > 0)
        .values(failures=0, paused_until=sa.case((Pace.is_throttled, Pace.paused_until), else_=None))
        .execution_options(synchronize_session=False)
    )


def is_throttled(session: Session, app_id: str) -> bool:
    """Has Stripe asked to be left alone, even by somebody who waits?"""
    asked = sa.select(Pace.app_id).where(
        Pace.app_id == app_id, Pace.is_throttled, Pace.paused_until > utcnow()
    )
    return session.scalar(asked) is not None


def _of(session: Session, app_id: str, now: datetime) -> Pace:
    """The row of an app, locked; made if there is none."""
    wanted = (
        sa.select(Pace)
        .where(Pace.app_id == app_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    pace = session.scalar(wanted)
    if pace is None:
        fresh = db.insert(session, Pace).values(
            app_id=app_id, served_at=now, free_at=now, failures=0, is_throttled=False, drifts=0
        )
        session.execute(fresh.on_conflict_do_nothing())
        pace = session.scalars(wanted).one()
    return pace
