"""An installation between its two steps: the key was looked at, and nobody has said yes yet.

The key is typed once. Until the second step it lies here, sealed, for a quarter of an hour at most and for
the very session in which it was typed; it goes into no page and no cookie.
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

KEPT_FOR = timedelta(minutes=15)


def hold(session: Session, api_key: str, found: Inspection, *, browser: str) -> PendingInstall:
    """Keep a key and what was found with it for this operator's session, in place of an earlier one.

    Flushes; the caller commits.
    """
    db.start_write(session)
    forget(session, browser=browser)
    pending_id = db.new_id()
    held = PendingInstall(
        id=pending_id,
        browser=browser,
        api_key_sealed=connections().sealer.seal(keys.secret_key(api_key), _row(pending_id)),
        found=found.facts(),
        expires_at=utcnow() + KEPT_FOR,
    )
    session.add(held)
    session.flush()
    return held


def held(session: Session, pending_id: str, *, browser: str) -> PendingInstall:
    """What is kept under this id for this session. Raises NotFound for whatever is over or another's."""
    found = session.scalar(
        select(PendingInstall).where(
            PendingInstall.id == pending_id,
            PendingInstall.browser == browser,
            PendingInstall.expires_at > utcnow(),
        )
    )
    if found is None:
        raise NotFound("This installation was finished or is older than 15 minutes. Enter the key again.")
    return found


def held_key(pending: PendingInstall) -> str:
    """The key that is kept. Raises Unsealable."""
    return connections().sealer.open(pending.api_key_sealed, _row(pending.id))


def forget(session: Session, *, browser: str | None = None) -> None:
    """Delete what is kept for a session, and whatever is over. The caller commits."""
    session.execute(
        delete(PendingInstall).where(
            or_(PendingInstall.expires_at <= utcnow(), PendingInstall.browser == (browser or ""))
        )
    )


def _row(pending_id: str) -> str:
    return f"pending_install:{pending_id}:api_key"
