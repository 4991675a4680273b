"""Decide who converges a payer now: one worker at a time, with a lease that runs out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.payers import Payer
from app.sync import throttle
from app.sync.leases import Leasing
from app.sync.models import RateBudget

# Short, because the payers of a killed worker wait for its end. A slower worker is fenced off.
LEASE_DURATION = timedelta(seconds=30)
CALLS_PER_CONVERGENCE = 2  # most take no more

_leasing = Leasing(Payer, Payer.id, duration=LEASE_DURATION)


@dataclass(frozen=True)
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
    lease = _take(session, sa.select(Payer.id).where(Payer.id == payer_id), utcnow(), silent_for=silent_for)
    session.commit()
    return lease


def claim_due(session: Session) -> Lease | None:
    """Take the lease of a due payer of an app that may call Stripe. Return None when there is none. Commits.

    Choose the app that has waited longest, then its payer that has been due longest. So neither an app with a
    million due payers nor a broken one holds up another. Payers with events or a waiting person come before
    those that only the schedule made due.
    """
    now = utcnow()
    app_id = session.scalar(_next_app(now))
    db.end_read(session)
    if app_id is None:
        return None
    db.start_write(session)
    lease = None
    if throttle.reserve(session, app_id, now, calls=CALLS_PER_CONVERGENCE):
        due = (
            sa.select(Payer.id)
            .where(Payer.app_id == app_id, Payer.due_at <= now)
            .order_by(Payer.due_at)
            .limit(1)
        )
        lease = _take(
            session, due.where(Payer.is_priority), now, prepaid_calls=CALLS_PER_CONVERGENCE
        ) or _take(session, due, now, prepaid_calls=CALLS_PER_CONVERGENCE)
    session.commit()
    return lease


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
) -> Lease | None:
    """Take the lease of the first free candidate. PostgreSQL skips rows that other workers lock just now.

    Never take one that has ended: its Stripe customer may belong to another payer by now, with its methods.
    """
    is_free = _leasing.is_free(now + LEASE_DURATION - silent_for)
    free = candidates.where(is_free, Payer.deleted_at.is_(None)).with_for_update(skip_locked=True)
    taken = _leasing.take(session, Payer.id == free.scalar_subquery(), Payer.generation)
    if taken is None:
        return None
    token, row = taken
    return Lease(row.id, token, row.generation, prepaid_calls)
