"""Answering a repeated POST as the first time."""

import hashlib
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core import db
from app.core.db import utcnow
from app.core.errors import Conflict, Invalid
from app.idempotency.models import Request

KEPT = timedelta(hours=24)  # as Stripe keeps its own
ABANDONED = timedelta(seconds=60)  # an unanswered request that is older died with its process


def begin(session: Session, token_id: str, key: str, *, fingerprint: str) -> Request:
    """Take a key for a request. Its status is None when it is to be answered now, else how it was. Commits.

    Raises Invalid for a key of the wrong shape, Conflict when the key stands for another request or the
    same one is under way.
    """
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise Invalid("validation error: Idempotency-Key has 1 to 255 printable ASCII characters")
    now = utcnow()
    row = {"token_id": token_id, "key": key, "fingerprint": fingerprint, "status": None, "body": None}
    db.start_write(session)
    taken = session.scalar(
        db.insert(session, Request)
        .values(**row, started_at=now)
        .on_conflict_do_update(
            index_elements=["token_id", "key"],
            set_={"started_at": now, "fingerprint": fingerprint, "status": None, "body": None},
            where=sa.or_(
                Request.started_at < now - KEPT,
                sa.and_(
                    Request.status.is_(None),
                    Request.started_at < now - ABANDONED,
                    Request.fingerprint == fingerprint,
                ),
            ),
        )
        .returning(Request.key)
    )
    session.commit()
    if taken is not None:
        return Request(**row, started_at=now)
    first = session.get(Request, (token_id, key), populate_existing=True)
    session.commit()
    if first is None:  # pragma: no cover (it was given back between the two statements)
        raise Conflict("conflict error: a request with this Idempotency-Key has just failed; send it again")
    if first.fingerprint != fingerprint:
        raise Conflict("conflict error: this Idempotency-Key was used for another request")
    if first.status is None:
        raise Conflict("conflict error: a request with this Idempotency-Key is under way")
    return first


def finish(session: Session, mine: Request, *, status: int, body: str) -> None:
    """Keep the answer together with what the session has flushed. Commits.

    Raises Conflict, and rolls everything back, when this took so long that a repeat has taken the key over.
    """
    db.start_write(session)
    kept = session.scalar(
        sa.update(Request).where(*_is(mine)).values(status=status, body=body).returning(Request.key)
    )
    if kept is None:
        session.rollback()
        raise Conflict("conflict error: this took too long, and a repeat with its Idempotency-Key goes on")
    session.commit()


def purge(session: Session) -> None:
    """Delete what is kept no longer. Commits."""
    db.start_write(session)
    session.execute(sa.delete(Request).where(Request.started_at < utcnow() - KEPT))
    session.commit()


def forget(session: Session, mine: Request) -> None:
    """Free the key of a request that did nothing; if it is answered after all, that stays. Commits."""
    session.rollback()
    db.start_write(session)
    session.execute(sa.delete(Request).where(*_is(mine)))
    session.commit()


def _is(mine: Request) -> tuple[sa.ColumnElement[bool], ...]:
    """The row, for as long as it is unanswered and nobody has taken it over: that sets the time anew."""
    return (
        Request.status.is_(None),
        Request.token_id == mine.token_id,
        Request.key == mine.key,
        Request.started_at == mine.started_at,
    )


def fingerprint(method: str, path: str, body: bytes) -> str:
    """What tells one request from another."""
    return hashlib.sha256(b"\n".join((method.encode(), path.encode("utf-8", "replace"), body))).hexdigest()
