"""How often a payer's tries were declined: somebody may be trying stolen cards."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import payers
from app.core.config import settings
from app.core.db import utcnow
from app.webhooks.models import Event

DECLINED = "setup_intent.setup_failed"


def is_over_limit(session: Session, payer: payers.Payer) -> bool:
    """Has a payer had as many declined tries within a day as are allowed, and is it not blocked yet?"""
    limit, now = settings().max_declines, utcnow()
    if limit == 0 or payer.is_blocked(now):
        return False
    return _count(session, payer, now) >= limit


def is_last_straw(session: Session, payer: payers.Payer, event_type: str) -> bool:
    """Does an event tell of a declined try, and are there too many by now?"""
    return event_type == DECLINED and is_over_limit(session, payer)


def _count(session: Session, payer: payers.Payer, now: datetime) -> int:
    since = max(filter(None, (now - payers.BLOCK_DURATION, payer.declines_since)))
    told = sa.select(sa.func.count()).where(
        Event.payer_id == payer.id, Event.type == DECLINED, Event.received_at > since
    )
    return session.scalar(told) or 0
