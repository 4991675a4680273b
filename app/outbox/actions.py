"""Put a message in, and send those that are due."""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog
from flask import Flask, current_app
from sqlalchemy.orm import Session

from app.core import db
from app.core.database import statements
from app.core.db import new_id, utcnow
from app.core.secrets.sealing import Sealer, Unsealable
from app.core.values import frozen
from app.outbox.models import OutboxMessage
from app.web import mail
from app.web.mail import Message

EXTENSION = "gangway.writers"
MAX_BATCH = 100  # messages in one run
RETRY_DELAY = timedelta(minutes=1)  # at first; then as long as the message has waited
MAX_RETRY_DELAY = timedelta(hours=1)
log = structlog.get_logger("gangway.outbox")


@frozen
class Draft:
    """What a message is written from when it is sent. Only then is it known who gets it."""

    to: str
    facts: dict[str, str]


Writer = Callable[[Session, Draft], Message | None]  # None: nobody gets it


def set_writer(app: Flask, kind: str, writer: Writer) -> None:
    """Let a function write the messages of a kind, each from its draft. Other messages go as they are."""
    app.extensions.setdefault(EXTENSION, {})[kind] = writer


def put(session: Session, message: Message | Draft, *, kind: str, expires_at: datetime) -> None:
    """Store a message in the transaction of the change that it reports. Flushes.

    A draft needs a kind that has a writer.
    """
    id_, now = new_id(), utcnow()
    sealed = _sealer().seal(json.dumps(asdict(message)), _row(id_))
    session.add(
        OutboxMessage(id=id_, kind=kind, sealed=sealed, created_at=now, due_at=now, expires_at=expires_at)
    )
    session.flush()


def deliver(session: Session) -> int:
    """Send what is due, and return how many messages were sent. Commits after each.

    When the sender fails, the message is tried again until it expires. If the process dies right after
    sending, the message is sent twice.
    """
    if not _has_due(session):
        return 0
    _purge(session)
    sender = mail.sender()
    sent = 0
    for _ in range(MAX_BATCH if sender else 0):
        row = _claim(session)
        if row is None:
            break
        try:
            message = _read(session, row)
            db.end_read(session)
            if message is not None and sender is not None:
                sender.send(message)
                sent += 1
        except Exception:  # whatever the sender raises must not keep the others from being sent
            session.rollback()
            log.exception("message_not_sent", message=row.id, kind=row.kind)
            continue
        db.start_write(session)
        session.execute(sa.delete(OutboxMessage).where(OutboxMessage.id == row.id))
        session.commit()
    return sent


def _has_due(session: Session) -> bool:
    found = session.scalar(sa.select(OutboxMessage.id).where(OutboxMessage.due_at <= utcnow()).limit(1))
    db.end_read(session)
    return found is not None


def _purge(session: Session) -> None:
    """Delete what nobody could use any longer."""
    db.start_write(session)
    expired = statements.delete_all(session, OutboxMessage, OutboxMessage.expires_at <= utcnow())
    session.commit()
    if expired:
        log.warning("messages_expired", count=expired)


def _claim(session: Session) -> OutboxMessage | None:
    """Take the oldest message that is due. Until it is retried, no other worker sends it. Commits."""
    db.start_write(session)
    now = utcnow()
    due = (
        sa.select(OutboxMessage.id)
        .where(OutboxMessage.due_at <= now)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(
        sa.update(OutboxMessage)
        .where(OutboxMessage.id == due.scalar_subquery())
        .values(due_at=now + RETRY_DELAY)
        .returning(OutboxMessage)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if row is not None:
        row.due_at = now + min(max(RETRY_DELAY, now - row.created_at), MAX_RETRY_DELAY)
    session.commit()
    return row


def oldest_waiting(session: Session) -> datetime | None:
    """Return since when the oldest message waits. None: all were sent."""
    return session.scalar(sa.select(sa.func.min(OutboxMessage.created_at)))


def waiting_since(session: Session, moment: datetime, *, most: int) -> int:
    """Count the messages that have waited since a moment or longer, up to a number."""
    late = sa.select(OutboxMessage.id).where(OutboxMessage.created_at <= moment).limit(most)
    return session.scalar(sa.select(sa.func.count()).select_from(late.subquery())) or 0


def _read(session: Session, row: OutboxMessage) -> Message | None:
    try:
        held = json.loads(_sealer().open(row.sealed, _row(row.id)))
    except Unsealable:  # its key is gone for good
        log.warning("message_unreadable", message=row.id)
        return None
    writer: Writer | None = current_app.extensions.get(EXTENSION, {}).get(row.kind)
    return writer(session, Draft(**held)) if writer else Message(**held)


def _sealer() -> Sealer:
    sealer: Sealer = current_app.extensions["gangway.sealer"]
    return sealer


def _row(id_: str) -> str:
    return f"outbox_message:{id_}"
