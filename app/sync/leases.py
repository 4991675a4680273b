"""Who converges a payer now: one at a time, and never for ever."""

from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import db
from app.db import new_id, utcnow
from app.payers import Payer

# Short, because what a killed worker held waits for its end. A slow one that outlives it is fenced off.
LEASE = timedelta(seconds=30)


@dataclass(frozen=True)
class Lease:
    """The right to converge a payer until it runs out; `hints` is how many had come by then."""

    payer_id: str
    token: str
    hints: int


def claim(session: Session, payer_id: str) -> Lease | None:
    """Take the lease of one payer; None when somebody else has it. Commits."""
    return _take(session, sa.select(Payer.id).where(Payer.id == payer_id))


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


def claim_due(session: Session) -> Lease | None:
    """Take the lease of the payer that has been due longest; None when none is. Commits."""
    return _take(
        session,
        sa.select(Payer.id).where(Payer.due_at <= utcnow()).order_by(Payer.due_at).limit(1),
    )


def _take(session: Session, wanted: sa.Select[str]) -> Lease | None:
    """One conditional UPDATE: PostgreSQL steps over rows being taken, SQLite has one writer."""
    now = utcnow()
    free = sa.or_(Payer.lease.is_(None), Payer.leased_until < now)
    token = new_id()
    db.start_write(session)
    taken = session.execute(
        sa.update(Payer)
        .where(Payer.id == wanted.where(free).with_for_update(skip_locked=True).scalar_subquery())
        .values(lease=token, leased_until=now + LEASE)
        .returning(Payer.id, Payer.hints)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    session.commit()
    return Lease(taken.id, token, taken.hints) if taken else None
