"""Changing an installed app: its details, and whether it is the default."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.apps import queries
from app.apps.keys import replace_key
from app.apps.models import App
from app.core import db


@dataclass(frozen=True, kw_only=True)
class Details:
    """What may be changed of an app: all of it but the key, which stays when none is given."""

    name: str
    description: str | None = None
    metadata: dict[str, str] | None = None
    api_key: str | None = None


def change(session: Session, app_id: str, details: Details, *, actor: str) -> App:
    """Give an app new details, all of them, and a new key if there is one: everything or nothing.

    Flushes; the caller commits. The webhook endpoint and its secret stay. Raises NotFound, Invalid for an
    uninstalled app and what `replace_key` raises.
    """
    if details.api_key is None:
        app = queries.to_change(session, app_id)
    else:
        app = replace_key(session, app_id, details.api_key, actor=actor)
    app.name, app.description, app.extra = details.name, details.description, details.metadata
    audit.note(session, "app.changed", actor=actor, app_id=app.id)
    session.flush()
    return app


def rename(session: Session, app_id: str, name: str, *, actor: str) -> App:
    """Give an app another name; all else stays. Flushes; the caller commits.

    Raises NotFound, and Invalid for an uninstalled app.
    """
    app = queries.to_change(session, app_id)
    audit.note(session, "app.renamed", actor=actor, app_id=app.id, before=app.name, after=name)
    app.name = name
    session.flush()
    return app


def make_default(session: Session, app_id: str, *, actor: str) -> App:
    """Let everybody who pays from now on pay through this app. Flushes; the caller commits.

    Raises NotFound, and Invalid for an uninstalled app.
    """
    db.start_write(session)
    everyone = session.scalars(  # all of them locked, in one order: two at once must not wait for each other
        select(App)
        .where(App.deleted_at.is_(None))
        .order_by(App.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    app = queries.by_id(session, app_id)
    queries.refuse_uninstalled(app)
    former = next((one for one in everyone if one.is_default), None)
    if former is app:
        return app
    if former is not None:
        former.is_default = False
        session.flush()
    app.is_default = True
    audit.note(session, "app.made_default", actor=actor, app_id=app.id, former=former.id if former else None)
    session.flush()
    return app
