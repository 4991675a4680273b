"""Closes the open Checkout Sessions of a payer, because another one takes their place."""

from sqlalchemy.orm import Session

from app import apps, payers
from app.checkout import queries
from app.checkout.models import CheckoutSession
from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.gateway import StripeObjectMissing, StripeRefused


def close(payer: payers.Payer, opened: CheckoutSession) -> None:
    """Close an open session at Stripe. Our record follows by convergence."""
    try:
        apps.connect(payer.app).expire_session(opened.stripe_id)
    except (StripeRefused, StripeObjectMissing):
        return  # it is not open at Stripe


def close_older(session: Session, payer: payers.Payer, newest: CheckoutSession) -> None:
    """Close at Stripe what is open for a payer and older than a session. Commits.

    A repeat of an older call closes nothing that was opened after it. Raises what the gateway raises.
    """
    now = utcnow()
    older = [
        opened
        for opened in queries.unsettled(session, payer.id)
        if opened.status == "open" and opened.expires_at > now and opened.created_at < newest.created_at
    ]
    if any(opened.is_current for opened in older):
        # Our own pages lead to none of these any longer, even before they are known to be closed.
        db.start_write(session)
        is_older = CheckoutSession.id.in_([opened.id for opened in older])
        statements.update_all(session, CheckoutSession, is_older, is_current=False)
        session.commit()
    db.end_read(session)
    for opened in older:
        close(payer, opened)
