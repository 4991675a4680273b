"""An installation between its two steps: an operator has inspected the key and not confirmed yet.

The operator types the key once. We store it sealed, for 15 minutes at most and for this session only. It
never goes into a page or a cookie.
"""

from datetime import timedelta

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.apps import keys
from app.apps.connections import connections
from app.apps.install import Inspection
from app.apps.models import PendingInstall
from app.core import db
from app.core.db import utcnow
from app.core.errors import NotFound

PENDING_DURATION = timedelta(minutes=15)


def save_pending(session: Session, api_key: str, found: Inspection, *, browser: str) -> PendingInstall:
    """Store a key and its inspection for this operator's session, in place of an earlier one. Flushes."""
    db.start_write(session)
    delete_pending(session, browser=browser)
    pending_id = db.new_id()
    held = PendingInstall(
        id=pending_id,
        browser=browser,
        api_key_sealed=connections().sealer.seal(keys.secret_key(api_key), _row(pending_id)),
        found=found.facts(),
        expires_at=utcnow() + PENDING_DURATION,
    )
    session.add(held)
    session.flush()
    return held


def get_pending(session: Session, pending_id: str, *, browser: str) -> PendingInstall:
    """Return the pending installation of this session. Raises NotFound when it has expired."""
    found = session.scalar(
        select(PendingInstall).where(
            PendingInstall.id == pending_id,
            PendingInstall.browser == browser,
            PendingInstall.expires_at > utcnow(),
        )
    )
    if found is None:
        raise NotFound("This installation has finished or expired after 15 minutes. Enter the key again.")
    return found


def pending_key(pending: PendingInstall) -> str:
    """Return the stored key. Raises Unsealable."""
    return connections().sealer.open(pending.api_key_sealed, _row(pending.id))


def delete_pending(session: Session, *, browser: str | None = None) -> None:
    """Delete the pending installation of a session, and all that have expired. The caller commits."""
    session.execute(
        delete(PendingInstall).where(
            or_(PendingInstall.expires_at <= utcnow(), PendingInstall.browser == (browser or ""))
        )
    )


def _row(pending_id: str) -> str:
    return f"pending_install:{pending_id}:api_key"
