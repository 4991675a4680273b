"""Limit the calls of Stripe: all workers share a budget for each app, and pause after failures."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from random import SystemRandom

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.apps import App
from app.core import db
from app.core.config import settings
from app.core.database import statements
from app.core.db import utcnow
from app.core.errors import AppError
from app.core.secrets.sealing import Unsealable
from app.gateway import StripeKeyRejected, StripePermissionMissing, StripeUnavailable
from app.sync.models import RateBudget

BURST = timedelta(seconds=1)  # calls that were not made in the last second may come at once
MAX_UNEXPLAINED_FAILURES = 2  # in a row; so many may be chance
MAX_PAUSE = 60.0  # seconds; then one attempt shows whether it works again
KEY_ERRORS = (StripeKeyRejected, StripePermissionMissing, Unsealable)  # they concern all customers of an app
_random = SystemRandom()


def may_call(now: datetime) -> sa.ColumnElement[bool]:
    """Return a condition on apps, outer-joined with their budgets: may the app call Stripe now?"""
    return sa.and_(
        App.deleted_at.is_(None),
        sa.or_(RateBudget.free_at.is_(None), RateBudget.free_at <= now),
        sa.or_(RateBudget.paused_until.is_(None), RateBudget.paused_until <= now),
    )


def reserve(session: Session, app_id: str, now: datetime, *, calls: int) -> bool:
    """Reserve calls from an app's budget. Return False when it is used up or the app pauses. Flushes.

    Until the commit, other workers wait for this app's budget, but none of them waits for Stripe.
    """
    if not allowed(session, app_id, now, calls=calls, most=1):
        return False
    take(session, app_id, now, calls)
    return True


def allowed(session: Session, app_id: str, now: datetime, *, calls: int, most: int) -> int:
    """Return how often so many calls may be reserved one after the other, up to `most`. Locks the budget.

    As long as any of it is left, the last reservation may go beyond it. After a failure only one payer is
    asked about, until an answer shows that Stripe is back.
    """
    budget = _locked_budget(session, app_id, now)
    if budget.free_at > now or (budget.paused_until is not None and budget.paused_until > now):
        return 0
    most = 1 if budget.failures else most
    rate = settings().calls_per_second
    if rate is None:
        return most
    left = (now - max(budget.free_at, now - BURST)).total_seconds() * rate
    return min(most, 1 + int(left / calls))


def take(session: Session, app_id: str, now: datetime, calls: int) -> None:
    """Reserve calls that are allowed. Flushes."""
    budget = _locked_budget(session, app_id, now)
    budget.served_at = now
    rate = settings().calls_per_second
    if rate is not None:
        budget.free_at = max(budget.free_at, now - BURST) + timedelta(seconds=calls / rate)
    session.flush()


def spend(session: Session, app_id: str, calls: int) -> None:
    """Take further calls, beyond the reserved ones, from an app's budget. Flushes."""
    rate = settings().calls_per_second
    if rate is None or calls <= 0:
        return
    now = utcnow()
    budget = _locked_budget(session, app_id, now)
    budget.free_at = max(budget.free_at, now - BURST) + timedelta(seconds=calls / rate)
    session.flush()


def start_verification(session: Session, app_id: str, now: datetime, *, every: timedelta) -> bool:
    """Is it time to choose payers to verify, and has no other worker just done so? Flushes."""
    budget = _locked_budget(session, app_id, now)
    if budget.verified_at is not None and budget.verified_at > now - every:
        return False
    budget.verified_at = now
    session.flush()
    return True


def count_drifts(session: Session, app_id: str, number: int) -> None:
    """Count changes without an event. Flushes."""
    _locked_budget(session, app_id, utcnow()).drifts += number
    session.flush()


def note_failure(session: Session, app_id: str, error: AppError) -> None:
    """Pause an app when a failure concerns all its customers. Flushes.

    A missing permission pauses it at once, and so does Stripe when it asks for a pause. Unexplained
    failures do so after `MAX_UNEXPLAINED_FAILURES` in a row. Pauses grow with each failure in a row, and last
    as long as Stripe asks.
    """
    if not isinstance(error, (StripeUnavailable, *KEY_ERRORS)):
        return
    asked_for = error.retry_after if isinstance(error, StripeUnavailable) else None
    now = utcnow()
    budget = _locked_budget(session, app_id, now)
    if asked_for is None and budget.paused_until is not None and budget.paused_until > now:
        return  # a person who checks during a pause does not extend it
    budget.failures += 1
    may_be_chance = isinstance(error, StripeUnavailable) and asked_for is None
    if budget.failures > MAX_UNEXPLAINED_FAILURES or not may_be_chance:
        wait = min(2.0 ** (budget.failures - 1), MAX_PAUSE) * _random.uniform(0.5, 1.0)
        until = now + timedelta(seconds=max(wait, asked_for or 0.0))
        budget.paused_until = max(until, budget.paused_until or until)
        budget.is_throttled = asked_for is not None
    session.flush()


def note_success(session: Session, app_id: str) -> None:
    """End an app's pause, except one that Stripe asked for: this answer may be older than the request."""
    paused_until = sa.case((RateBudget.is_throttled, RateBudget.paused_until), else_=None)
    has_failed = sa.and_(RateBudget.app_id == app_id, RateBudget.failures > 0)
    statements.update_all(session, RateBudget, has_failed, failures=0, paused_until=paused_until)


def note_answers(session: Session, app_id: str, errors: Sequence[AppError | None]) -> None:
    """Note how several convergences went, in the order of Stripe's answers. Flushes.

    Requests that were under way together and that Stripe answers by asking for a pause count as one failure.
    """
    for kind, group in groupby(errors, _kind):
        if kind == "success":
            note_success(session, app_id)
        elif kind == "pause":
            note_failure(session, app_id, max(filter(None, group), key=_asked_for))
        else:
            for error in filter(None, group):
                note_failure(session, app_id, error)


def _kind(error: AppError | None) -> str:
    if error is None:
        return "success"
    return "pause" if _asked_for(error) else "failure"


def _asked_for(error: AppError) -> float:
    return (error.retry_after or 0.0) if isinstance(error, StripeUnavailable) else 0.0


def is_throttled(session: Session, app_id: str) -> bool:
    """Has Stripe asked for a pause that holds even for a waiting person?"""
    asked = sa.select(RateBudget.app_id).where(
        RateBudget.app_id == app_id, RateBudget.is_throttled, RateBudget.paused_until > utcnow()
    )
    return session.scalar(asked) is not None


def _locked_budget(session: Session, app_id: str, now: datetime) -> RateBudget:
    """Return the locked budget of an app. Create it if there is none."""
    query = (
        sa.select(RateBudget)
        .where(RateBudget.app_id == app_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    budget = session.scalar(query)
    if budget is None:
        fresh = db.insert(session, RateBudget).values(
            app_id=app_id, served_at=now, free_at=now, failures=0, is_throttled=False, drifts=0
        )
        session.execute(fresh.on_conflict_do_nothing())
        budget = session.scalars(query).one()
    return budget
