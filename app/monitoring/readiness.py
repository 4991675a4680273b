"""What must be right before an installation is fit to serve."""

from datetime import timedelta

from sqlalchemy.orm import Session

from app import migrations, sync
from app.config import settings
from app.db import utcnow


def reasons(session: Session) -> list[str]:
    """Why it is not; none when all is right. Raises what the database does when it does not answer.

    Stripe is not among them: without it the pages still tell what is known, and nothing is lost. Nor are
    events that were given up: they wait for an operator, who comes in by the pages that this would shut.
    """
    if migrations.pending():
        return ["The database needs `gangway db upgrade`."]
    most, minutes = settings().ready_backlog, settings().ready_backlog_minutes
    overdue = sync.overdue(session, utcnow() - timedelta(minutes=minutes), most=most + 1)
    if overdue > most:
        waited = f"More than {most:,} events have waited longer than {minutes} minutes."
        return [f"{waited} Is a worker running, and what does it log?"]
    return []
