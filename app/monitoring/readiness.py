"""What must be right before this process is fit to serve."""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import migrations
from app.core.db import utcnow

MAX_CLOCK_DIFFERENCE = timedelta(minutes=1)


def reasons(session: Session) -> list[str]:
    """Why it is not; none when all is right. Raises what the database does when it does not answer.

    Only what this process can't serve with counts. Stripe is not among them: without it the pages still
    tell what is known, and nothing is lost. Nor is work that waits, which is for alerts: shutting the pages
    would not help it.
    """
    reason = migrations.unfit()
    if reason is not None:
        return [reason]
    difference = _clock_difference(session)
    if abs(difference) > MAX_CLOCK_DIFFERENCE:
        direction = "ahead of" if difference > timedelta() else "behind"
        seconds = round(abs(difference).total_seconds())
        return [f"The clock of this machine is {seconds} seconds {direction} the database's: set it right."]
    return []


def warnings() -> list[str]:
    """What is not as it should be, and stops nobody."""
    warning = migrations.warning()
    return [] if warning is None else [warning]


def _clock_difference(session: Session) -> timedelta:
    """How far our clock is ahead of the database's. SQLite has none."""
    if session.get_bind().dialect.name != "postgresql":
        return timedelta()
    before = utcnow()
    theirs = session.scalar(sa.text("SELECT clock_timestamp()"))
    ours = before + (utcnow() - before) / 2
    return ours - theirs if theirs is not None else timedelta()
