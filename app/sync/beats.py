"""Which workers run, on whatever machine: each says so every few seconds."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import db
from app.core.db import Base, UtcDateTime, utcnow

EVERY = 15.0  # seconds
LATE = timedelta(minutes=1)  # a slow answer of Stripe's holds a beat up; whoever is silent for longer is gone
KEPT = timedelta(days=1)


class Beat(Base):
    """One process with worker threads, and when it was last seen."""

    __tablename__ = "worker"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    threads: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


def beat(session: Session, worker_id: str, threads: int) -> None:
    """Say that a worker runs, and forget those who fell silent long ago. Commits."""
    now = utcnow()
    db.start_write(session)
    said = db.insert(session, Beat).values(id=worker_id, threads=threads, started_at=now, seen_at=now)
    session.execute(
        said.on_conflict_do_update(index_elements=["id"], set_={"seen_at": now, "threads": threads})
    )
    session.execute(sa.delete(Beat).where(Beat.seen_at < now - KEPT))
    session.commit()


def leave(session: Session, worker_id: str) -> None:
    """Say that a worker has ended. Commits."""
    db.start_write(session)
    session.execute(sa.delete(Beat).where(Beat.id == worker_id))
    session.commit()


def workers(session: Session) -> int:
    """How many worker threads run now, on all machines together."""
    running = sa.select(sa.func.sum(Beat.threads)).where(Beat.seen_at > utcnow() - LATE)
    return int(session.scalar(running) or 0)
