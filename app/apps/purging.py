"""Deletes what has outlived its purpose. The worker calls it now and then."""

from sqlalchemy.orm import Session

from app.apps.pending import delete_pending
from app.apps.webhook.rolling import retire_secrets
from app.core import db


def purge(session: Session) -> None:
    """End the overlaps of rolled secrets that are over, and delete keys that nobody installed. Commits."""
    retire_secrets(session)
    db.start_write(session)
    delete_pending(session)
    session.commit()
