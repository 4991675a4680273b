"""Closing the open checkout sessions of a payer, because another one takes their place."""

from sqlalchemy.orm import Session

from app import apps, payers
from app.checkout import queries
from app.checkout.models import CheckoutSession
from app.core import db
from app.core.db import utcnow
from app.gateway import StripeObjectMissing, StripeRefused


def close(payer: payers.Payer, page: CheckoutSession) -> None:
    """Close an open page at Stripe, because another takes its place. Our record follows by convergence."""
    try:
        apps.connect(payer.app).expire_session(page.id)
    except (StripeRefused, StripeObjectMissing):
        return  # it is not open at Stripe


def close_older(
    session: Session, payer: payers.Payer, session_id: str, *, closed: frozenset[str] = frozenset()
) -> frozenset[str]:
    """Close at Stripe what is open of a payer and older than a session. Ends the reading.

    Returns what is closed, with those that were `closed` before. A repeat of an older call closes nothing
    that was opened after it. Raises what the gateway raises.
    """
    older = [page for page in _older_open(session, payer.id, session_id) if page.id not in closed]
    db.end_read(session)
    for page in older:
        close(payer, page)
    return closed | {page.id for page in older}


def _older_open(session: Session, payer_id: str, session_id: str) -> list[CheckoutSession]:
    """The sessions of a payer that are open, as far as we know, and were opened before this one."""
    known = queries.unsettled(session, payer_id)
    own = next((page for page in known if page.id == session_id), None)
    now = utcnow()
    return [
        page
        for page in known
        if page.id != session_id
        and page.status == "open"
        and page.expires_at > now
        and (own is None or page.created_at < own.created_at)
    ]
