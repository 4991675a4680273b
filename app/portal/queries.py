"""Reads of the stored settings."""

from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.core import db
from app.core.config import settings
from app.core.errors import NotFound
from app.portal.models import PortalVersion
from app.portal.settings import PortalSettings, Unreadable, load_stored
from app.portal.variables import with_variables

MAX_NUMBER = 2**31  # of an integer column


def start_change(session: Session) -> None:
    """Begin a transaction that changes the settings or their draft: nobody else does until its commit.

    So read after this what is to be changed. It locks a table, because there may be no row.
    """
    db.start_write(session)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE portal_draft IN SHARE ROW EXCLUSIVE MODE"))


def newest_version(session: Session) -> PortalVersion | None:
    """Return the version in force; None when nothing was published."""
    newest = select(PortalVersion).order_by(PortalVersion.id.desc()).limit(1)
    return session.scalar(newest.execution_options(populate_existing=True))


def stored(session: Session) -> PortalSettings:
    """Return the settings as they were published, without what variables decide.

    When nothing was published, the variables are the initial values.
    """
    newest = newest_version(session)
    if newest is None:
        return with_variables(PortalSettings(), settings())
    return load_stored(newest.document)


def document(session: Session) -> dict[str, Any]:
    """Return the settings as they were published, to compare with.

    Settings that this release can't read are returned as they are stored.
    """
    try:
        return stored(session).model_dump(mode="json")
    except Unreadable:
        newest = newest_version(session)
        assert newest is not None
        return newest.document


def version(session: Session, number: int) -> PortalVersion:
    """Return a version by its number. Raises NotFound."""
    found = session.get(PortalVersion, number) if 0 < number < MAX_NUMBER else None
    if found is None:
        raise NotFound("There is no such version. Only the latest ones are kept.")
    return found


def versions(session: Session, limit: int) -> list[PortalVersion]:
    """Return the latest versions, the newest first."""
    return list(session.scalars(select(PortalVersion).order_by(PortalVersion.id.desc()).limit(limit)))
