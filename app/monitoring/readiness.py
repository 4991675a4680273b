"""What must be right before an installation is fit to serve."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app import migrations, sync
from app.config import settings
from app.db import utcnow


def reasons(session: Session) -> list[str]:
    """Why it is not; none when all is right. Raises what the database does when it does not answer.

    Stripe is not among them: without it the pages still tell what is known, and nothing is lost.
    """
    if migrations.pending():
        return ["The database needs `gangway db upgrade`."]
    most, minutes = settings().ready_backlog, settings().ready_backlog_minutes
    overdue = sync.overdue(session, utcnow() - timedelta(minutes=minutes), most=most + 1)
    if overdue > most:
        return [f"More than {most:,} events have waited longer than {minutes} minutes. Is a worker running?"]
    return []
