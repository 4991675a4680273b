"""Making, checking and revoking API tokens."""

import hashlib
import hmac
import re
import secrets
from datetime import UTC, date, datetime, time, timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.core import db
from app.core.db import new_id, utcnow
from app.core.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from app.operators.models import ApiToken
from app.web.input.visible import checked_name

SCOPES = ("read", "write", "admin")  # each may do what those before it may
PREFIX = "gangway"  # so that a leaked token is recognised by scanners and people
TOKEN = re.compile(PREFIX + r"_([0-7][0-9A-HJKMNP-TV-Z]{25})_([A-Za-z0-9_-]{43})")
SEEN_INTERVAL = timedelta(minutes=1)  # a write on each call would make every read a write
LAST_DAY = date(9000, 1, 1)  # any time zone and database can hold the day after it


def end_of(day: date) -> datetime:
    """Return the first instant after a day (UTC). Raises Invalid for a day at the end of the calendar."""
    if day > LAST_DAY:
        raise Invalid("This day is too far away. Leave it out: then the token does not expire.")
    return datetime.combine(day, time(), UTC) + timedelta(days=1)


def create_token(
    session: Session, name: str, *, scope: str, expires_at: datetime | None = None, actor: str
) -> tuple[ApiToken, str]:
    """Make a token. Its text is given here and never again. Flushes. Raises Invalid and Conflict."""
    if scope not in SCOPES:
        raise Invalid(f"The scope must be one of {', '.join(SCOPES)}.")
    name = checked_name(name, "A token")
    taken = Conflict(f"A token named “{name}” already exists: choose another name, or revoke that one.")
    same = sa.select(ApiToken.id).where(ApiToken.name == name, ApiToken.revoked_at.is_(None))
    if session.scalar(same) is not None:
        raise taken
    secret = secrets.token_urlsafe(32)
    token = ApiToken(id=new_id(), name=name, scope=scope, secret_hash=_hash(secret), expires_at=expires_at)
    session.add(token)
    audit.note(session, "token.created", actor=actor, token_id=token.id, name=token.name, scope=scope)
    try:
        session.flush()
    except IntegrityError as error:  # somebody took the name at the same moment
        raise taken from error
    return token, f"{PREFIX}_{token.id}_{secret}"


def revoke_token(session: Session, token_id: str, *, actor: str) -> None:
    """End a token at once. Raises NotFound. Flushes."""
    token = None
    if db.is_id(token_id):
        token = session.get(ApiToken, token_id, with_for_update=True, populate_existing=True)
    if token is None:
        raise NotFound("There is no such token.")
    if token.revoked_at is None:
        token.revoked_at = utcnow()
        audit.note(session, "token.revoked", actor=actor, token_id=token.id, name=token.name)
    session.flush()


def tokens(session: Session) -> list[ApiToken]:
    """All tokens, the newest first."""
    return list(session.scalars(sa.select(ApiToken).order_by(ApiToken.id.desc())))


def admit(session: Session, header: str, *, scope: str) -> ApiToken:
    """The token of an `Authorization` header that may do what the scope says.

    Raises Unauthorized with one sentence for every way in which a token may be bad, and Forbidden when it
    is good and may not do this. Notes the time of use, at most once a minute. Ends the transaction.
    """
    kind, _, text = header.partition(" ")
    match = TOKEN.fullmatch(text.strip()) if kind.lower() == "bearer" else None
    token = session.get(ApiToken, match[1]) if match else None
    now = utcnow()
    # Compared even when there is no such token, so that time does not tell the two cases apart.
    fits = hmac.compare_digest(_hash(match[2] if match else ""), token.secret_hash if token else _hash("-"))
    lives = (
        token is not None and token.revoked_at is None and (not token.expires_at or token.expires_at > now)
    )
    if token is not None and fits:  # even when it has ended, so that somebody can find the program
        structlog.contextvars.bind_contextvars(token_id=token.id)  # for every line of this request
    if token is None or not fits or not lives:
        raise Unauthorized("a valid API token is needed, as Authorization: Bearer …")
    session.commit()
    if token.last_used_at is None or now - token.last_used_at > SEEN_INTERVAL:
        db.start_write(session)
        token.last_used_at = now
        session.commit()
    if SCOPES.index(token.scope) < SCOPES.index(scope):
        raise Forbidden(f"this needs a token with scope {scope}; this one has {token.scope}")
    return token


def _hash(secret: str) -> str:
    """Of a long random secret a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()
