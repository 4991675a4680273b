"""What waits though a worker does it within seconds."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app import outbox, sync
from app.console.overview.concern import MAX_COUNTED, Concern
from app.core.db import utcnow

MAX_AGE = timedelta(minutes=10)  # of an event or a message


def backlog(session: Session) -> Concern:
    """Events that wait."""
    count = sync.overdue(session, utcnow() - MAX_AGE, most=MAX_COUNTED + 1)
    return Concern(
        "backlog",
        "Events are delayed",
        "These have been waiting for more than ten minutes. Check that a worker is running, and look for"
        " failures in its log.",
        "error",
        count,
    )


def email(session: Session) -> Concern:
    """Messages that could not be sent."""
    return Concern(
        "email",
        "Emails are delayed",
        "These have been waiting for more than ten minutes, and codes end after 15. Check that a worker is"
        " running. Its log says under message_not_sent why an email was not sent.",
        "error",
        outbox.waiting_since(session, utcnow() - MAX_AGE, most=MAX_COUNTED + 1),
    )
