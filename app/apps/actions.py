"""Change an installed app: its details, and whether it is the default."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.apps import queries
from app.apps.keys import replace_key
from app.apps.models import App
from app.core import db
from app.core.values import frozen


@frozen(kw_only=True)
class Details:
    """The new details of an app. Without a key, it keeps the one it has."""

    name: str
    description: str | None = None
    metadata: dict[str, str] | None = None
    api_key: str | None = None


def change(session: Session, app_id: str, details: Details, *, actor: str) -> App:
    """Replace all details of an app, and its key if a new one is given. Flushes.

    The webhook endpoint and its secret stay. Raises NotFound, Invalid for an uninstalled app, and what
    `replace_key` raises.
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
    """Rename an app. Flushes.

    Raises NotFound, and Invalid for an uninstalled app.
    """
    app = queries.to_change(session, app_id)
    audit.note(session, "app.renamed", actor=actor, app_id=app.id, before=app.name, after=name)
    app.name = name
    session.flush()
    return app


def make_default(session: Session, app_id: str, *, actor: str) -> App:
    """Make this the app of all customers who sign up from now on. Flushes.

    Raises NotFound, and Invalid for an uninstalled app.
    """
    db.start_write(session)
    everyone = session.scalars(  # lock all in a fixed order, or two requests may wait for each other
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
