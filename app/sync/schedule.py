"""When a payer is looked at again: after a look, and after a failure."""

from datetime import datetime, timedelta
from random import SystemRandom

from sqlalchemy.orm import Session

from app import checkout, payers
from app.core.config import settings
from app.core.db import utcnow
from app.payers import Payer

LONGEST_WAIT = 3600.0  # seconds
LONGEST_PULL = timedelta(hours=6)
YOUNG = timedelta(hours=1)  # most who finish, finish by then
_dice = SystemRandom()


def next_pull(session: Session, payer: Payer, now: datetime) -> datetime | None:
    """When to look unasked: each interval while a page is young, more rarely later, never if all is done."""
    if payer.gone_at is not None:
        return None
    pages = checkout.unsettled(session, payer.id)
    if not pages:
        is_bank_awaited = any(
            row.mandate_status == "pending" for row in payer.methods if row.detached_at is None
        )
        return now + LONGEST_PULL if is_bank_awaited else None
    youngest = pages[0]
    interval = timedelta(seconds=settings().pull_interval)
    age = now - youngest.created_at
    wait = interval if age < YOUNG else min(max(interval, age / 2), LONGEST_PULL)
    if youngest.status == "open":  # its end is news, whether or not Stripe's event about it comes
        wait = min(wait, max(interval, youngest.expires_at - now + timedelta(seconds=5)))
    return now + wait


def look_within(session: Session, payer_id: str, span: timedelta, *, why: str) -> None:
    """Have a payer looked at some time within a span, because the clock says so. Flushes nothing.

    Many come to this in one instant: they are spread, and everybody goes before them whom an event or a
    person wants looked at.
    """
    payers.mark_due(session, payer_id, utcnow() + span * _dice.random(), why=why, by_clock=True)


def next_try(attempts: int, *, asked_for: float | None = None) -> timedelta:
    """How long to wait after so many failures in a row: doubling from two seconds, different for each."""
    wait = min(2.0**attempts, LONGEST_WAIT) * _dice.uniform(0.5, 1.0)
    return timedelta(seconds=max(wait, asked_for or 0.0))
