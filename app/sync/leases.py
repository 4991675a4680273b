"""Who converges a payer now: one at a time, and never for ever."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.apps import App
from app.core import db
from app.core.db import new_id, utcnow
from app.payers import Payer
from app.sync import pace
from app.sync.models import Pace

# Short, because what a killed worker held waits for its end. A slow one that outlives it is fenced off.
LEASE = timedelta(seconds=30)
CALLS = 2  # what a convergence mostly takes


@dataclass(frozen=True)
class Lease:
    """The right to converge a payer until it runs out.

    `hints` is how many had come by then, `paid` how many calls the app's budget was charged for.
    """

    payer_id: str
    token: str
    hints: int
    paid: int = 0


def claim(session: Session, payer_id: str, *, silent_for: timedelta = LEASE) -> Lease | None:
    """Take the lease of one payer; None when somebody else has it, and for one that has ended. Commits.

    A holder loses it that has not renewed it for so long: it may have been killed, and a person waits.
    """
    db.start_write(session)
    ids = sa.select(Payer.id).where(Payer.id == payer_id)
    lease = _take(session, ids, utcnow(), silent_for=silent_for)
    session.commit()
    return lease


def claim_due(session: Session) -> Lease | None:
    """Take the lease of somebody who is due and whose app may ask Stripe now; None when none is. Commits.

    Of these apps it is the turn of the one that has waited longest, and of its payers of the one that has
    been due longest: an app with a million due does not hold up another, nor does one that is broken. Whom
    an event or a person wants looked at goes before those whom only the clock does, however many these are.
    """
    now = utcnow()
    app_id = session.scalar(_whose_turn(now))
    db.end_read(session)
    if app_id is None:
        return None
    db.start_write(session)
    lease = None
    if pace.take(session, app_id, now, calls=CALLS):
        due = (
            sa.select(Payer.id)
            .where(Payer.app_id == app_id, Payer.due_at <= now)
            .order_by(Payer.due_at)
            .limit(1)
        )
        lease = _take(session, due.where(Payer.is_wanted), now, paid=CALLS) or _take(
            session, due, now, paid=CALLS
        )
    session.commit()
    return lease


def renew(session: Session, lease: Lease) -> bool:
    """Hold a lease for its whole time again; False when another has it by now. Commits."""
    db.start_write(session)
    kept = session.scalar(
        sa.update(Payer)
        .where(Payer.id == lease.payer_id, Payer.lease == lease.token)
        .values(leased_until=utcnow() + LEASE)
        .returning(Payer.id)
        .execution_options(synchronize_session=False)
    )
    session.commit()
    return kept is not None


def release(session: Session, lease: Lease) -> None:
    """Give a lease back unused, unless another has it by now. Commits."""
    db.start_write(session)
    session.execute(
        sa.update(Payer)
        .where(Payer.id == lease.payer_id, Payer.lease == lease.token)
        .values(lease=None, leased_until=None)
        .execution_options(synchronize_session=False)
    )
    session.commit()


def _whose_turn(now: datetime) -> sa.Select[str]:
    is_any_due = sa.select(Payer.id).where(Payer.app_id == App.id, Payer.due_at <= now, _is_free(now))
    return (
        sa.select(App.id)
        .outerjoin(Pace, Pace.app_id == App.id)
        .where(pace.may_ask(now), is_any_due.exists())
        .order_by(sa.func.coalesce(Pace.served_at, App.created_at))
        .limit(1)
    )


def _is_free(now: datetime) -> sa.ColumnElement[bool]:
    return sa.or_(Payer.lease.is_(None), Payer.leased_until < now)


def _take(
    session: Session,
    wanted: sa.Select[str],
    now: datetime,
    *,
    paid: int = 0,
    silent_for: timedelta = LEASE,
) -> Lease | None:
    """One conditional UPDATE: PostgreSQL steps over rows being taken, SQLite has one writer.

    Never of one that has ended: its Stripe customer may stand for somebody else by now, to whom its methods
    went over.
    """
    token = new_id()
    is_free = _is_free(now + LEASE - silent_for)
    free = wanted.where(is_free, Payer.deleted_at.is_(None)).with_for_update(skip_locked=True)
    taken = session.execute(
        sa.update(Payer)
        .where(Payer.id == free.scalar_subquery())
        .values(lease=token, leased_until=now + LEASE)
        .returning(Payer.id, Payer.hints)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return Lease(taken.id, token, taken.hints, paid) if taken else None
