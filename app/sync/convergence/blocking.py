"""Close the checkout sessions of a payer with too many declined attempts, and tell an operator."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from app import payers
from app.gateway import StripeGateway, StripeObjectMissing, StripeRefused
from app.payers import Payer
from app.sync.convergence.fetch import LocalState
from app.sync.convergence.state import Heartbeat, StripeState

log = structlog.get_logger("gangway.sync")


def close_sessions(
    stripe: StripeGateway, local: LocalState, state: StripeState, heartbeat: Heartbeat
) -> None:
    """Close the open sessions at Stripe when the payer is over the limit."""
    state.is_blocked = local.is_over_limit
    if not state.is_blocked:
        return
    for session_id, facts in state.sessions.items():
        if facts is not None and facts.status == "open":
            heartbeat()
            with suppress(StripeRefused, StripeObjectMissing):  # it ended a moment ago
                stripe.expire_session(facts.id)
                state.sessions[session_id] = replace(facts, status="expired")


def block(session: Session, payer: Payer, state: StripeState, now: datetime) -> None:
    """Refuse new sessions for a locked payer, for a day or until an operator unblocks it."""
    if not state.is_blocked or payer.is_blocked(now):
        return
    payer.blocked_at = now
    log.warning("too_many_declines", payer=payer.id, customer_id=payer.customer_id, app_id=payer.app_id)
    stripe_id = payer.stripe_customer_id
    payers.note(session, payer, "payer.blocked", actor="worker", stripe_customer_id=stripe_id)
