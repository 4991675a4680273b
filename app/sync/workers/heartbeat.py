"""Know which workers run, on any machine: each writes a heartbeat every few seconds."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.core import db
from app.core.db import Base, UtcDateTime, utcnow

HEARTBEAT_INTERVAL = 15.0  # seconds
MAX_SILENCE = timedelta(minutes=1)  # a slow answer from Stripe delays a heartbeat by less
RETENTION = timedelta(days=1)


class WorkerHeartbeat(Base):
    """One process with worker threads, and its last heartbeat."""

    __tablename__ = "worker"

    id: Mapped[str] = mapped_column(sa.String(26), primary_key=True)
    threads: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utcnow)


def record(session: Session, worker_id: str, threads: int) -> None:
    """Note that a worker runs, and delete old heartbeats. Commits."""
    now = utcnow()
    db.start_write(session)
    first = db.insert(session, WorkerHeartbeat).values(
        id=worker_id, threads=threads, started_at=now, seen_at=now
    )
    session.execute(
        first.on_conflict_do_update(index_elements=["id"], set_={"seen_at": now, "threads": threads})
    )
    session.execute(sa.delete(WorkerHeartbeat).where(WorkerHeartbeat.seen_at < now - RETENTION))
    session.commit()


def remove(session: Session, worker_id: str) -> None:
    """Note that a worker has ended. Commits."""
    db.start_write(session)
    session.execute(sa.delete(WorkerHeartbeat).where(WorkerHeartbeat.id == worker_id))
    session.commit()


def worker_threads(session: Session) -> int:
    """Count the running worker threads of all machines."""
    running = sa.select(sa.func.sum(WorkerHeartbeat.threads)).where(
        WorkerHeartbeat.seen_at > utcnow() - MAX_SILENCE
    )
    return int(session.scalar(running) or 0)
