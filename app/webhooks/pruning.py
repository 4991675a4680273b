"""Delete the payloads of old finished events: they hold personal data."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.webhooks.models import PRUNABLE, Event

BATCH_SIZE = 500


def prune(session: Session) -> bool:
    """Delete the payloads of a batch of old finished events. Return True when there are more. Commits.

    Keep the rows, which recognise a redelivery. Keep the payload of a failed event, which may be retried.
    """
    before = utcnow() - timedelta(days=settings().keep_payloads_days)
    keys = sa.tuple_(Event.app_id, Event.id)
    old = (
        sa.select(Event.app_id, Event.id)
        .where(sa.text(PRUNABLE), Event.finished_at < before)
        .order_by(Event.finished_at)
        .limit(BATCH_SIZE)
        .with_for_update(skip_locked=True)
    )
    # A common table expression with a lock runs once; a subquery might run, and lock, again for each row.
    batch = old.cte("batch")
    db.start_write(session)
    emptied = session.scalars(
        sa.update(Event)
        .where(keys.in_(sa.select(batch.c.app_id, batch.c.id)))
        .values(payload="")
        .returning(Event.id)
        .execution_options(synchronize_session=False)
    ).all()
    session.commit()
    return len(emptied) == BATCH_SIZE
