"""Publishing the settings."""

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.core.errors import Conflict
from app.portal import cache, queries
from app.portal.differences import differences
from app.portal.models import PortalVersion
from app.portal.settings import PortalSettings

MAX_VERSIONS = 50  # older ones are deleted
RACED = "Somebody else published at the same moment. Reload the page, and look at what changed."


def publish(
    session: Session, settings: PortalSettings, *, actor: str, based_on: int | None = None
) -> PortalVersion:
    """Publish settings as a new version, and note what changed in the audit log. Flushes.

    `based_on` is the number of the version that the caller has changed; without it, it is the newest one.
    Raises Conflict when another version was published since. Other processes follow within two seconds.
    """
    newest = queries.newest_version(session)
    number = newest.id if newest else 0
    if based_on is not None and based_on != number:
        raise Conflict(RACED)
    before, after = queries.document(session), settings.model_dump(mode="json")
    version = PortalVersion(id=number + 1, document=after, actor=actor)
    session.add(version)
    try:
        session.flush()
    except IntegrityError as error:  # pragma: no cover (SQLite has one writer; tested on PostgreSQL)
        session.rollback()
        raise Conflict(RACED) from error
    session.execute(sa.delete(PortalVersion).where(PortalVersion.id <= version.id - MAX_VERSIONS))
    _note(session, version, before, after, actor)
    held = cache.held()
    sa.event.listen(session, "after_commit", lambda _session: held.expire(), once=True)
    return version


def _note(
    session: Session, version: PortalVersion, before: dict[str, Any], after: dict[str, Any], actor: str
) -> None:
    old, new = differences(before, after)
    audit.note(
        session,
        "portal.published",
        actor=actor,
        version=str(version.id),
        before=json.dumps(old, ensure_ascii=False),
        after=json.dumps(new, ensure_ascii=False),
    )
