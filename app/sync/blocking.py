"""Closing the sessions of a payer with too many declined tries, and telling an operator."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from app import audit
from app.gateway import StripeGateway, StripeObjectMissing, StripeRefused
from app.payers import Payer
from app.sync.ask import Known, Truth, type_alive

log = structlog.get_logger("gangway.sync")


def close_sessions(stripe: StripeGateway, known: Known, truth: Truth, alive: type_alive) -> None:
    """Close at Stripe what is open of a payer that is over the limit."""
    truth.is_blocked = known.is_over_limit
    if not truth.is_blocked:
        return
    for session_id, facts in truth.pages.items():
        if facts is not None and facts.status == "open":
            alive()
            with suppress(StripeRefused, StripeObjectMissing):  # it was finished a moment ago
                stripe.expire_session(session_id)
                truth.pages[session_id] = replace(facts, status="expired")


def block(session: Session, payer: Payer, truth: Truth, now: datetime) -> None:
    """Open no session for a locked payer from now on, for a day or until an operator allows it."""
    if not truth.is_blocked or payer.is_blocked(now):
        return
    payer.blocked_at = now
    log.warning("too_many_declines", payer=payer.id, customer_id=payer.customer_id, app_id=payer.app_id)
    audit.note(
        session,
        "payer.blocked",
        actor="worker",
        customer_id=payer.customer_id,
        app_id=payer.app_id,
        stripe_customer_id=payer.stripe_customer_id,
    )
