"""Reads of apps that are worth a name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.apps.models import App
from app.errors import NotFound


def by_id(session: Session, app_id: str, *, lock: bool = False) -> App:
    """An app as the database has it now, even an uninstalled one; locked for a change if asked.

    Raises NotFound.
    """
    query = select(App).where(App.id == app_id).execution_options(populate_existing=True)
    app = session.scalar(query.with_for_update() if lock else query)
    if app is None:
        raise NotFound(f"There is no app with id {app_id}.")
    return app


def installed(session: Session) -> list[App]:
    """The installed apps, the oldest first; one for each account and mode, so there are few."""
    return list(session.scalars(select(App).where(App.deleted_at.is_(None)).order_by(App.id)))
