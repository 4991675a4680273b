"""Count the work that is late."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import webhooks
from app.sync.models import RateBudget


def overdue(session: Session, before: datetime, *, most: int) -> int:
    """Count the events that a worker could have finished before an instant, up to `most`.

    Leave out events that wait for the end of their app's pause: no worker could do more.
    """
    paused = session.scalars(sa.select(RateBudget.app_id).where(RateBudget.paused_until > before)).all()
    return webhooks.overdue(session, before, most=most, except_apps=paused)
