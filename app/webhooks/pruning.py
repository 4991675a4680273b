"""Forgetting what finished events said: it holds personal data, and nobody needs it any more."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.webhooks.models import PRUNABLE, Event

BATCH = 500


def prune(session: Session) -> bool:
    """Empty the payloads of a batch of events that were finished long ago. Commits. True when there is more.

    The rows stay: whatever Stripe sends again is known by them. One that failed keeps its payload, because it
    is still to be dealt with.
    """
    before = utcnow() - timedelta(days=settings().keep_payloads_days)
    keys = sa.tuple_(Event.app_id, Event.id)
    old = (
        sa.select(Event.app_id, Event.id)
        .where(PRUNABLE, Event.finished_at < before)
        .order_by(Event.finished_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
    )
    db.start_write(session)
    emptied = session.scalars(
        sa.update(Event)
        .where(keys.in_(old))
        .values(payload="")
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.commit()
    return len(emptied) == BATCH
