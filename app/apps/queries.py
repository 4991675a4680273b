"""Reads apps."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.apps.models import App, SigningSecret
from app.core import db
from app.core.errors import Invalid, NotFound


def by_id(session: Session, app_id: str, *, lock: bool = False) -> App:
    """Return an app as the database has it now, even an uninstalled one. Raises NotFound."""
    query = select(App).where(App.id == app_id).execution_options(populate_existing=True)
    app = session.scalar(query.with_for_update() if lock else query)
    if app is None:
        raise NotFound(f"There is no app with id {app_id}.")
    return app


def modes(session: Session, app_ids: Collection[str]) -> dict[str, bool]:
    """Return for each app whether it is in live mode."""
    found = session.execute(select(App.id, App.livemode).where(App.id.in_(app_ids)))
    return {row.id: row.livemode for row in found}


def same_account(session: Session, app: App) -> set[str]:
    """Return the ids of all apps of an app's account and mode: it took over those that are uninstalled."""
    place = (App.stripe_account_id == app.stripe_account_id, App.livemode == app.livemode)
    return set(session.scalars(select(App.id).where(*place)))


def default(session: Session) -> App | None:
    """Return the app of new customers, if there is one."""
    return session.scalar(select(App).where(App.is_default, App.deleted_at.is_(None)))


def installed(session: Session) -> list[App]:
    """Return the installed apps, the oldest first. There are few: one for each account and mode."""
    return list(session.scalars(select(App).where(App.deleted_at.is_(None)).order_by(App.id)))


def to_change(session: Session, app_id: str) -> App:
    """Return an app, locked for a change. Raises NotFound, and Invalid for an uninstalled one."""
    db.start_write(session)
    app = by_id(session, app_id, lock=True)
    refuse_uninstalled(app)
    return app


def refuse_uninstalled(app: App) -> None:
    """Raise Invalid for an uninstalled app."""
    if app.deleted_at is not None:
        raise Invalid(f"App {app.id} is uninstalled.")


def secrets_of(session: Session, app_id: str) -> list[SigningSecret]:
    """Return the signing secrets of an app that are not retired, the newest first."""
    return list(
        session.scalars(
            select(SigningSecret)
            .where(SigningSecret.app_id == app_id, SigningSecret.retired_at.is_(None))
            .order_by(SigningSecret.id.desc())
            .execution_options(populate_existing=True)
        )
    )
