"""Making, listing and revoking the secrets that the company's app signs with."""

import secrets
from datetime import timedelta

import sqlalchemy as sa
import structlog
from flask import current_app
from sqlalchemy.orm import Session

from app import audit
from app.core import db
from app.core.database import statements
from app.core.db import is_id, new_id, utcnow
from app.core.errors import Conflict, Invalid, NotFound
from app.core.secrets.sealing import Sealer, Unsealable
from app.core.values import frozen
from app.onboarding.handovers.models import MAX_LIVE_SECRETS, HandoverSecret
from app.web.input.visible import trim

PREFIX = "gangway_handover_"  # so that scanners and people recognise a leaked secret
USE_INTERVAL = timedelta(minutes=1)  # write the time of use at most this often
MAX_NAME_LENGTH = 80
log = structlog.get_logger("gangway.handovers")


@frozen
class LiveSecret:
    """A secret that verifies, with the id under which tokens may name it."""

    id: str
    text: str


def create_secret(session: Session, name: str, *, actor: str) -> tuple[HandoverSecret, str]:
    """Make a secret. Its text is given here and never again. Flushes.

    Raises Invalid for a bad name, and Conflict when the name is taken or there are too many.
    """
    name = trim(name)
    if not name or len(name) > MAX_NAME_LENGTH:
        raise Invalid(f"Give the secret a name of {MAX_NAME_LENGTH} characters or fewer.")
    _wait_for_other_admins(session)
    live = [secret for secret in list_secrets(session) if secret.revoked_at is None]
    if len(live) >= MAX_LIVE_SECRETS:
        raise Conflict(f"{MAX_LIVE_SECRETS} secrets are in use. Revoke one that you no longer need first.")
    if any(secret.name == name for secret in live):
        raise Conflict(f"A secret named “{name}” is already in use. Choose another name.")
    text, secret_id = PREFIX + secrets.token_urlsafe(32), new_id()
    secret = HandoverSecret(
        id=secret_id, name=name, sealed=_sealer().seal(text, _row(secret_id)), created_by=actor
    )
    session.add(secret)
    audit.note(session, "handover_secret.created", actor=actor, secret_id=secret.id, name=name)
    session.flush()
    return secret, text


def _wait_for_other_admins(session: Session) -> None:
    """Let admins make secrets one by one, or two could each count four. SQLite has one writer anyway."""
    db.start_write(session)
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.text(f"LOCK TABLE {HandoverSecret.__tablename__} IN SHARE ROW EXCLUSIVE MODE"))


def revoke_secret(session: Session, secret_id: str, *, actor: str) -> None:
    """Refuse at once what is signed with a secret, and delete its text. Flushes. Raises NotFound."""
    secret = None
    if is_id(secret_id):
        secret = session.get(HandoverSecret, secret_id, with_for_update=True, populate_existing=True)
    if secret is None:
        raise NotFound("There is no such secret.")
    if secret.revoked_at is None:
        secret.revoked_at, secret.sealed = utcnow(), ""
        audit.note(session, "handover_secret.revoked", actor=actor, secret_id=secret.id, name=secret.name)
    session.flush()


def list_secrets(session: Session) -> list[HandoverSecret]:
    """All secrets, the newest first."""
    return list(session.scalars(sa.select(HandoverSecret).order_by(HandoverSecret.id.desc())))


def live_secrets(session: Session) -> list[LiveSecret]:
    """The secrets that verify, the oldest first. One that no encryption key opens is left out."""
    query = sa.select(HandoverSecret).where(HandoverSecret.revoked_at.is_(None)).order_by(HandoverSecret.id)
    found = []
    for secret in session.scalars(query):
        try:
            found.append(LiveSecret(secret.id, _sealer().open(secret.sealed, _row(secret.id))))
        except Unsealable as error:
            log.warning("secret_not_opened", secret_id=secret.id, reason=error.detail)
    return found


def oldest_live(session: Session) -> LiveSecret | None:
    """Return the secret that we sign with ourselves.

    It is the oldest, so that the company can give its app a new one before we sign with it.
    """
    return next(iter(live_secrets(session)), None)


def note_used(session: Session, secret_id: str) -> None:
    """Remember when a secret was last used, to within a minute. Flushes."""
    now = utcnow()
    used_at = HandoverSecret.last_used_at
    is_noted_long_ago = sa.or_(used_at.is_(None), used_at < now - USE_INTERVAL)
    statements.update_all(
        session, HandoverSecret, HandoverSecret.id == secret_id, is_noted_long_ago, last_used_at=now
    )


def _row(secret_id: str) -> str:
    return f"handover_secret:{secret_id}"


def _sealer() -> Sealer:
    found = current_app.extensions["gangway.sealer"]
    assert isinstance(found, Sealer)
    return found
