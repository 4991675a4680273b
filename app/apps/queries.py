"""Reads of apps that are worth a name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.apps.models import App, SigningSecret
from app.core import db
from app.core.errors import Invalid, NotFound


def by_id(session: Session, app_id: str, *, lock: bool = False) -> App:
    """An app as the database has it now, even an uninstalled one; locked for a change if asked.

    Raises NotFound.
    """
    query = select(App).where(App.id == app_id).execution_options(populate_existing=True)
    app = session.scalar(query.with_for_update() if lock else query)
    if app is None:
        raise NotFound(f"There is no app with id {app_id}.")
    return app


def default(session: Session) -> App | None:
    """The app through which customers pay when nobody says otherwise, if there is one."""
    return session.scalar(select(App).where(App.is_default, App.deleted_at.is_(None)))


def installed(session: Session) -> list[App]:
    """The installed apps, the oldest first; one for each account and mode, so there are few."""
    return list(session.scalars(select(App).where(App.deleted_at.is_(None)).order_by(App.id)))


def to_change(session: Session, app_id: str) -> App:
    """An app, locked for a change. Begins the writing. Raises NotFound, Invalid for an uninstalled one."""
    db.start_write(session)
    app = by_id(session, app_id, lock=True)
    refuse_uninstalled(app)
    return app


def refuse_uninstalled(app: App) -> None:
    """Raise Invalid for an app that is installed no more."""
    if app.deleted_at is not None:
        raise Invalid(f"App {app.id} is uninstalled.")


def secrets_of(session: Session, app_id: str) -> list[SigningSecret]:
    """The signing secrets of an app that are not retired yet, the newest first."""
    return list(
        session.scalars(
            select(SigningSecret)
            .where(SigningSecret.app_id == app_id, SigningSecret.retired_at.is_(None))
            .order_by(SigningSecret.id.desc())
            .execution_options(populate_existing=True)
        )
    )
