"""What could have been done by now, and was not."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import webhooks
from app.sync.models import Pace


def overdue(session: Session, before: datetime, *, most: int) -> int:
    """How many events could have been dealt with before an instant, counted to `most`.

    Those that wait for the end of their app's pause are none of them: no worker could do more.
    """
    paused = session.scalars(sa.select(Pace.app_id).where(Pace.paused_until > before)).all()
    return webhooks.overdue(session, before, most=most, but_of=paused)
