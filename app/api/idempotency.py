"""Repeat the first response to a POST that comes again with its Idempotency-Key."""

import hashlib
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.api.models import IdempotentRequest
from app.core import db
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid

RETENTION = timedelta(hours=24)  # as long as Stripe keeps its own
ABANDONED_AFTER = timedelta(seconds=60)  # the process of an older request without an answer has died


def begin(session: Session, token_id: str, key: str, *, fingerprint: str) -> IdempotentRequest:
    """Reserve a key for a request. Commits. The row has no status when the caller must answer now.

    Raises Invalid for a malformed key. Raises Conflict when another request has the key, or when the first
    request with this key is still running.
    """
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise Invalid("Idempotency-Key must have 1 to 255 printable ASCII characters")
    now = utcnow()
    row = {"token_id": token_id, "key": key, "fingerprint": fingerprint, "status": None, "body": None}
    db.start_write(session)
    taken = session.scalar(
        db.insert(session, IdempotentRequest)
        .values(**row, started_at=now)
        .on_conflict_do_update(
            index_elements=["token_id", "key"],
            set_={"started_at": now, "fingerprint": fingerprint, "status": None, "body": None},
            where=sa.or_(
                IdempotentRequest.started_at < now - RETENTION,
                sa.and_(
                    IdempotentRequest.status.is_(None),
                    IdempotentRequest.started_at < now - ABANDONED_AFTER,
                    IdempotentRequest.fingerprint == fingerprint,
                ),
            ),
        )
        .returning(IdempotentRequest.key)
    )
    session.commit()
    if taken is not None:
        return IdempotentRequest(**row, started_at=now)
    first = session.get(IdempotentRequest, (token_id, key), populate_existing=True)
    session.commit()
    if first is None:  # pragma: no cover (it was freed between the two statements)
        raise Conflict("a request with this Idempotency-Key has just failed; send it again")
    if first.fingerprint != fingerprint:
        raise Conflict("this Idempotency-Key was used for another request")
    if first.status is None:
        raise Conflict("a request with this Idempotency-Key is still running")
    return first


def finish(session: Session, mine: IdempotentRequest, *, status: int, body: str) -> None:
    """Store the answer together with the changes of the session. Commits.

    Raises Conflict, and rolls everything back, when this took so long that a repeat has taken the key over.
    """
    db.start_write(session)
    stored = session.scalar(
        sa.update(IdempotentRequest)
        .where(*_is(mine))
        .values(status=status, body=body)
        .returning(IdempotentRequest.key)
    )
    if stored is None:
        session.rollback()
        raise Conflict("this took too long, and a repeat with its Idempotency-Key has taken over")
    session.commit()


def purge(session: Session) -> None:
    """Delete the answers that are older than the retention. Commits."""
    db.start_write(session)
    session.execute(sa.delete(IdempotentRequest).where(IdempotentRequest.started_at < utcnow() - RETENTION))
    session.commit()


def forget(session: Session, mine: IdempotentRequest) -> None:
    """Free the key of a request that changed nothing. Commits. A stored answer stays."""
    session.rollback()
    db.start_write(session)
    session.execute(sa.delete(IdempotentRequest).where(*_is(mine)))
    session.commit()


def _is(mine: IdempotentRequest) -> tuple[sa.ColumnElement[bool], ...]:
    """Find the row while it has no answer and no repeat has taken it over, which would change its time."""
    return (
        IdempotentRequest.status.is_(None),
        IdempotentRequest.token_id == mine.token_id,
        IdempotentRequest.key == mine.key,
        IdempotentRequest.started_at == mine.started_at,
    )


def fingerprint(method: str, path: str, body: bytes) -> str:
    """Return a digest that differs between requests."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode("utf-8", "replace"), body))).hexdigest()
