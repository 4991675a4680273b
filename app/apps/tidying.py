"""What the worker clears away now and then."""

from sqlalchemy.orm import Session

from app.apps.pending import forget
from app.apps.rolling import retire_secrets
from app.core import db


def tidy(session: Session) -> None:
    """End the overlaps of rolled secrets that are over, and forget keys that nobody installed. Commits."""
    retire_secrets(session)
    db.start_write(session)
    forget(session)
    session.commit()
