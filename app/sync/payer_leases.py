"""Decide who converges a payer now: one worker at a time, with a lease that runs out."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.core.values import frozen
from app.payers import Payer
from app.sync import throttle
from app.sync.leases import Leasing
from app.sync.models import RateBudget

# Short, because the payers of a killed worker wait for its end. A slower worker is fenced off.
LEASE_DURATION = timedelta(seconds=30)
CALLS_PER_CONVERGENCE = 2  # most take no more

_leasing = Leasing(Payer, Payer.id, duration=LEASE_DURATION)


@frozen
class Lease:
    """The right to converge a payer until it runs out."""

    payer_id: str
    token: str
    generation: int  # of the payer when the worker took it
    prepaid_calls: int = 0  # reserved from the app's budget


def claim(session: Session, payer_id: str, *, silent_for: timedelta = LEASE_DURATION) -> Lease | None:
    """Take the lease of one payer. Return None when a worker holds it, or the payer has ended. Commits.

    A holder that has not renewed the lease for `silent_for` loses it: it may have died, and a person waits.
    """
    db.start_write(session)
    leases = _take(session, sa.select(Payer.id).where(Payer.id == payer_id), utcnow(), silent_for=silent_for)
    session.commit()
    return leases[0] if leases else None


def claim_due(session: Session, *, most: int) -> list[Lease]:
    """Take the leases of due payers of one app that may call Stripe, up to `most`. Commits.

    Choose the app that has waited longest, then its payers that have been due longest, as many as the app's
    budget allows. So neither an app with a million due payers nor a broken one holds up another. Payers with
    events or a waiting person come before those that only the schedule made due.
    """
    now = utcnow()
    app_id = session.scalar(_next_app(now))
    db.end_read(session)
    if app_id is None:
        return []
    db.start_write(session)
    leases: list[Lease] = []
    most = throttle.allowed(session, app_id, now, calls=CALLS_PER_CONVERGENCE, most=most)
    due = sa.select(Payer.id).where(Payer.app_id == app_id, Payer.due_at <= now).order_by(Payer.due_at)
    for candidates in (due.where(Payer.is_priority), due):
        if len(leases) < most:
            which = candidates.limit(most - len(leases))
            leases += _take(session, which, now, prepaid_calls=CALLS_PER_CONVERGENCE)
    if most:  # also when another worker was quicker: the next app has its turn
        throttle.take(session, app_id, now, CALLS_PER_CONVERGENCE * max(1, len(leases)))
    session.commit()
    return leases


def renew(session: Session, lease: Lease) -> bool:
    """Hold a lease for its whole duration again. Return False when another worker has it. Commits."""
    return _leasing.renew(session, lease.payer_id, lease.token)


def release(session: Session, lease: Lease) -> None:
    """Release an unused lease, unless another worker has it by now. Commits."""
    _leasing.release(session, lease.payer_id, lease.token)


def _next_app(now: datetime) -> sa.Select[str]:
    is_any_due = sa.select(Payer.id).where(Payer.app_id == App.id, Payer.due_at <= now, _leasing.is_free(now))
    return (
        sa.select(App.id)
        .outerjoin(RateBudget, RateBudget.app_id == App.id)
        .where(throttle.may_call(now), is_any_due.exists())
        .order_by(sa.func.coalesce(RateBudget.served_at, App.created_at))
        .limit(1)
    )


def _take(
    session: Session,
    candidates: sa.Select[str],
    now: datetime,
    *,
    prepaid_calls: int = 0,
    silent_for: timedelta = LEASE_DURATION,
) -> list[Lease]:
    """Take the leases of the free candidates. PostgreSQL skips rows that other workers lock just now.

    Never take one that has ended: its Stripe customer may belong to another payer by now, with its methods.
    """
    is_free = _leasing.is_free(now + LEASE_DURATION - silent_for)
    free = candidates.where(is_free, Payer.deleted_at.is_(None)).with_for_update(skip_locked=True)
    # A common table expression with a lock runs once; a subquery might run, and lock, again for each row.
    chosen = sa.select(free.cte("free").c.id)
    token, rows = _leasing.take_all(session, Payer.id.in_(chosen), Payer.generation)
    return [Lease(row.id, token, row.generation, prepaid_calls) for row in rows]
