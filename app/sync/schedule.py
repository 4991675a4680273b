"""Decide when to check a payer again: after a check, and after a failure."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import SystemRandom

from sqlalchemy.orm import Session

from app import checkout, payers
from app.core.config import settings
from app.core.db import utcnow
from app.payers import Payer

MAX_RETRY_DELAY = 3600.0  # seconds
MAX_CHECK_INTERVAL = timedelta(hours=6)
YOUNG_SESSION_AGE = timedelta(hours=1)  # most customers who finish do so by then
_random = SystemRandom()


def next_check(payer: Payer, sessions: Sequence[checkout.CheckoutSession], now: datetime) -> datetime | None:
    """Return when to check without news: often while a session is young, never when all is done.

    `sessions` are those about which Stripe may still say something new, the newest first.
    """
    if payer.stripe_deleted_at is not None:
        return None
    if not sessions:
        is_bank_awaited = any(method.mandate_status == "pending" for method in payer.attached_methods)
        return now + MAX_CHECK_INTERVAL if is_bank_awaited else None
    youngest = sessions[0]
    interval = timedelta(seconds=settings().pull_interval)
    age = now - youngest.created_at
    wait = interval if age < YOUNG_SESSION_AGE else min(max(interval, age / 2), MAX_CHECK_INTERVAL)
    if youngest.status == "open":  # check at its end, even if Stripe's event about it is lost
        wait = min(wait, max(interval, youngest.expires_at - now + timedelta(seconds=5)))
    return now + wait


def check_within(session: Session, payer_id: str, span: timedelta, *, why: str) -> None:
    """Make a payer due at a random time within a span, because time has passed. Flushes nothing.

    Many payers become due in one instant, so spread them. Payers with events or a waiting person come first.
    """
    payers.mark_due(session, payer_id, at=utcnow() + span * _random.random(), why=why, scheduled=True)


def retry_delay(attempts: int, *, asked_for: float | None = None) -> timedelta:
    """Return the delay after so many failures in a row: it doubles from two seconds, with random jitter."""
    wait = min(2.0**attempts, MAX_RETRY_DELAY) * _random.uniform(0.5, 1.0)
    return timedelta(seconds=max(wait, asked_for or 0.0))
