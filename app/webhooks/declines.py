"""Count a payer's declined attempts: somebody may be testing stolen cards."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import payers
from app.core.config import settings
from app.core.db import utcnow
from app.webhooks.models import Event

DECLINED = "setup_intent.setup_failed"


def is_over_limit(session: Session, payer: payers.Payer) -> bool:
    """Has an unblocked payer reached the limit of declined attempts within a day?"""
    limit, now = settings().max_declines, utcnow()
    if limit == 0 or payer.is_blocked(now):
        return False
    return _count(session, payer, now) >= limit


def reaches_limit(session: Session, payer: payers.Payer, event_type: str) -> bool:
    """Does this event report a declined attempt, and has the payer reached the limit?"""
    return event_type == DECLINED and is_over_limit(session, payer)


def _count(session: Session, payer: payers.Payer, now: datetime) -> int:
    since = max(filter(None, (now - payers.BLOCK_DURATION, payer.declines_since)))
    told = sa.select(sa.func.count()).where(
        Event.payer_id == payer.id, Event.type == DECLINED, Event.received_at > since
    )
    return session.scalar(told) or 0
