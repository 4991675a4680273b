"""Count a payer's declined attempts: somebody may be testing stolen cards."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import payers
from app.core.config import settings
from app.core.db import utcnow
from app.webhooks.models import Event

DECLINED = "setup_intent.setup_failed"


def over_limit(session: Session, those: Iterable[payers.Payer]) -> set[str]:
    """Return the ids of the unblocked payers that reached the limit of declined attempts within a day."""
    limit, now = settings().max_declines, utcnow()
    unblocked = {payer.id: payer for payer in those if not payer.is_blocked(now)}
    if limit == 0 or not unblocked:
        return set()
    declined_often = session.scalars(
        sa.select(Event.payer_id)
        .where(
            Event.payer_id.in_(unblocked),
            Event.type == DECLINED,
            Event.received_at > now - payers.BLOCK_DURATION,
        )
        .group_by(Event.payer_id)
        .having(sa.func.count() >= limit)
    ).all()
    return {id_ for id_ in declined_often if id_ and _count(session, unblocked[id_], now) >= limit}


def _count(session: Session, payer: payers.Payer, now: datetime) -> int:
    since = max(filter(None, (now - payers.BLOCK_DURATION, payer.declines_since)))
    told = sa.select(sa.func.count()).where(
        Event.payer_id == payer.id, Event.type == DECLINED, Event.received_at > since
    )
    return session.scalar(told) or 0
