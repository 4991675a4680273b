"""The reservations of Checkout Sessions: which ones are shared, and which ones nobody needs."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.checkout.models import CheckoutSession
from app.core import db
from app.core.database import rows, statements
from app.core.db import utcnow
from app.core.errors import Conflict
from app.gateway import KEY_LIFETIME

MAX_TRIES = 3  # a twin may delete its row between our two statements
RETENTION = timedelta(days=2)  # of what was never opened
IS_RESERVED = CheckoutSession.stripe_session_id.is_(None)


def find_or_reserve(session: Session, wanted: CheckoutSession) -> CheckoutSession:
    """Return the payer's row to continue with: our pages' current one, or that of the caller's key. Flushes.

    Insert the wanted one if there is none. A unique index decides which of several inserts was first, and the
    others find its row.
    """
    which: sa.ColumnElement[bool]
    if wanted.is_current:
        _retire_current(session, wanted)
        which = CheckoutSession.is_current.is_(True)
    else:
        _forget_old_key(session, wanted)
        which = CheckoutSession.idempotency_key == wanted.idempotency_key
    query = sa.select(CheckoutSession).where(CheckoutSession.payer_id == wanted.payer_id, which)
    for _ in range(MAX_TRIES):
        if rows.insert_if(session, wanted):
            return wanted
        found = session.scalar(query.execution_options(populate_existing=True))
        if found is not None:
            return found
    raise Conflict("This customer's checkout sessions keep changing. Try again in a moment.")


def forget(session: Session, reserved: CheckoutSession) -> None:
    """Delete a useless reservation, unless a concurrent call has recorded it. Commits."""
    db.start_write(session)
    statements.delete_all(session, CheckoutSession, CheckoutSession.id == reserved.id, IS_RESERVED)
    session.commit()


def purge(session: Session) -> None:
    """Delete the reservations that nobody came back for. Commits."""
    db.start_write(session)
    is_old = CheckoutSession.created_at < utcnow() - RETENTION
    statements.delete_all(session, CheckoutSession, IS_RESERVED, is_old)
    session.commit()


def _retire_current(session: Session, wanted: CheckoutSession) -> None:
    """Make room for another current session if this one is over, too old or on other terms. Flushes."""
    current = session.scalar(
        sa.select(CheckoutSession)
        .where(CheckoutSession.payer_id == wanted.payer_id, CheckoutSession.is_current)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if current is None:
        return
    now = utcnow()
    is_reserved = current.stripe_session_id is None and current.created_at > now - KEY_LIFETIME
    is_open = current.status == "open" and current.expires_at > now
    has_terms = current.has_terms(wanted.options, profile=wanted.profile)
    if not (has_terms and (is_reserved or is_open)):
        current.is_current = False
        session.flush()


def _forget_old_key(session: Session, wanted: CheckoutSession) -> None:
    """Let a key that was used more than a day ago name a new session, as it does at Stripe."""
    statements.update_all(
        session,
        CheckoutSession,
        CheckoutSession.payer_id == wanted.payer_id,
        CheckoutSession.idempotency_key == wanted.idempotency_key,
        CheckoutSession.created_at < utcnow() - KEY_LIFETIME,
        idempotency_key=None,
    )
