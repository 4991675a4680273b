"""The way in for the first operator: a token in the server's log, while there is nobody yet."""

from sqlalchemy.orm import Session

from app.core import db
from app.operators import queries
from app.operators.auth import one_time_links


def offer_setup(session: Session) -> str | None:
    """The address of the set-up page with a new token, while there is no operator. Commits.

    Each server that starts offers its own, and all are good: nobody knows which log will be read.
    """
    nobody = not queries.is_anybody(session)
    db.end_read(session)
    if not nobody:
        return None
    db.start_write(session)
    token = one_time_links.make(session, None)
    session.commit()
    return one_time_links.address(token, is_setup=True)
