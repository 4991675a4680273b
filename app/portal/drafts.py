"""The draft: what will be published next. Editors change it by sections, and publish it in one step."""

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import audit
from app.core.db import utcnow
from app.core.errors import Conflict, NotFound
from app.portal import queries
from app.portal.actions import publish
from app.portal.differences import differences
from app.portal.models import PortalDraft, PortalVersion
from app.portal.settings import PortalSettings, load_stored

DRAFT_ID = 1
CHANGED = "Somebody changed the draft meanwhile. Look at it again, then publish it."
OVERTAKEN = (
    "Other settings were published after this draft was started. Look at the differences, then keep the draft"
    " or discard it."
)


def open_draft(session: Session) -> tuple[PortalSettings, PortalDraft | None]:
    """Return the settings to edit, and the draft that has them; without a draft, the published settings."""
    found = _find(session)
    return load_stored(found.document) if found else queries.stored(session), found


def edited(session: Session) -> PortalSettings:
    """Return the settings as the draft has them, else as they are published."""
    return open_draft(session)[0]


def save_draft(session: Session, settings: PortalSettings, *, actor: str) -> PortalDraft:
    """Keep settings as the draft, and note what changed in the audit log. Flushes.

    The caller has begun with `start_change` before it read what it changes.
    """
    found, document = _find(session, lock=True), settings.model_dump(mode="json")
    before = found.document if found else queries.document(session)
    if found is None:
        newest = queries.newest_version(session)
        found = PortalDraft(id=DRAFT_ID, based_on=newest.id if newest else 0, revision=0)
        session.add(found)
    found.document, found.actor, found.updated_at = document, actor, utcnow()
    found.revision += 1
    old, new = differences(before, document)
    audit.note(session, "portal.draft_saved", actor=actor, before=_json(old), after=_json(new))
    session.flush()
    return found


def publish_draft(session: Session, *, revision: int, actor: str) -> PortalVersion:
    """Publish the draft, as the editor saw it. Flushes.

    Raises Conflict when it was changed since, or when other settings were published, and NotFound when there
    is none.
    """
    found = _find(session, lock=True)
    if found is None:
        raise NotFound("There is no draft to publish.")
    if found.revision != revision:
        raise Conflict(CHANGED)
    if is_overtaken(session, found):
        raise Conflict(OVERTAKEN)
    settings = load_stored(found.document)
    version = publish(session, settings, actor=actor, based_on=found.based_on)
    session.delete(found)
    session.flush()
    return version


def discard_draft(session: Session, *, actor: str) -> None:
    """Forget the draft. Flushes."""
    found = _find(session, lock=True)
    if found is not None:
        session.delete(found)
        audit.note(session, "portal.draft_discarded", actor=actor)
    session.flush()


def keep_draft(session: Session, *, actor: str) -> None:
    """Base the draft on the newest version, although other settings were published meanwhile. Flushes."""
    found, newest = _find(session, lock=True), queries.newest_version(session)
    if found is None:
        raise NotFound("There is no draft to keep.")
    found.based_on, found.actor = newest.id if newest else 0, actor
    found.revision += 1
    session.flush()


def restore(session: Session, number: int, *, actor: str) -> PortalVersion:
    """Go back to an earlier version: publish it as a new one. Flushes. Raises NotFound."""
    version = queries.version(session, number)
    return publish(session, load_stored(version.document), actor=actor)


def is_overtaken(session: Session, found: PortalDraft) -> bool:
    """Were other settings published after the draft was started?"""
    newest = queries.newest_version(session)
    return found.based_on != (newest.id if newest else 0)


def _find(session: Session, *, lock: bool = False) -> PortalDraft | None:
    query = select(PortalDraft).where(PortalDraft.id == DRAFT_ID).execution_options(populate_existing=True)
    return session.scalar(query.with_for_update() if lock else query)


def _json(values: dict[str, object]) -> str:
    return json.dumps(values, ensure_ascii=False)
