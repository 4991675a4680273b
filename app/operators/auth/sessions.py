"""In which browsers an operator is logged in. The cookie holds a random token; the row decides."""

import hashlib
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Flask, request
from flask import session as cookie
from flask_login import LoginManager, current_user, login_user, logout_user
from sqlalchemy.orm import Session, contains_eager

from app.core import db
from app.core.config import settings
from app.core.db import UtcDateTime, utcnow
from app.core.values import frozen
from app.operators.models import OneTimeLink, Operator, OperatorSession

SEEN_INTERVAL = timedelta(minutes=1)  # a write on each page would make every read a write
RETENTION = timedelta(days=30)
ALIVE = (
    OperatorSession.ended_at.is_(None),
    OperatorSession.created_at > sa.bindparam("created_after", type_=UtcDateTime),
    OperatorSession.seen_at > sa.bindparam("seen_after", type_=UtcDateTime),
)
BY_TOKEN = (
    sa.select(OperatorSession)
    .join(OperatorSession.operator)
    .options(contains_eager(OperatorSession.operator))
    .where(OperatorSession.token_hash == sa.bindparam("token_hash"), Operator.disabled_at.is_(None), *ALIVE)
)


@frozen
class SignedIn:
    """What Flask-Login knows about a logged-in operator."""

    token: str
    row: OperatorSession

    is_authenticated = is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What it puts into the cookie."""
        return self.token


def init_app(app: Flask) -> None:
    """Let Flask-Login know how a token is looked up, and what it must not do."""
    manager = LoginManager()
    manager.session_protection = None  # an address that changes on the way home is no attack
    manager.user_loader(_load)
    # Not init_app: it adds a step to every response that renews "remember me" cookies, and we have none.
    app.login_manager = manager  # type: ignore[attr-defined]


def current() -> OperatorSession | None:
    """The session of this request, if somebody is logged in. Ends the transaction of an action."""
    found: SignedIn | None = current_user._get_current_object()  # noqa: SLF001 (Flask-Login's proxy)
    return found.row if isinstance(found, SignedIn) else None


def begin(session: Session, operator: Operator, *, since: datetime | None = None) -> SignedIn:
    """Make a session of this browser, under a token that nobody has seen; its former one ends. Flushes.

    `since` is when the password was given, if that was earlier. `enter` follows once that is committed.
    """
    before = current()
    if before is not None:
        session.execute(
            sa.update(OperatorSession).where(OperatorSession.id == before.id).values(ended_at=utcnow())
        )
    row, token = open_session(
        session, operator, address=request.remote_addr or "", user_agent=summary(), since=since
    )
    return SignedIn(token, row)


def enter(signed_in: SignedIn) -> None:
    """Put the token into this browser's cookie."""
    cookie.pop("csrf_token", None)  # a form that was planted before the login is not good after it
    login_user(signed_in)


def open_session(
    session: Session, operator: Operator, *, address: str, user_agent: str, since: datetime | None = None
) -> tuple[OperatorSession, str]:
    """Make a session of an operator and the token of its cookie. Flushes."""
    token = secrets.token_urlsafe(32)
    row = OperatorSession(
        operator=operator,
        token_hash=hashed(token),
        created_at=since or utcnow(),
        seen_at=utcnow(),
        address=address[:64],
        user_agent=user_agent,
    )
    session.add(row)
    session.flush()
    return row, token


def leave() -> None:
    """Forget the token in this browser."""
    logout_user()
    cookie.pop("csrf_token", None)


def end_all(session: Session, operator_id: str, *, but: str | None = None) -> int:
    """End the sessions of an operator, but one, and the logins that have begun. Return how many there were.

    The operator is locked first, so a session that is being renewed ends, too.
    """
    session.execute(sa.update(Operator).where(Operator.id == operator_id).values(signed_out_at=utcnow()))
    ended = session.scalars(
        sa.update(OperatorSession)
        .where(
            OperatorSession.operator_id == operator_id,
            OperatorSession.ended_at.is_(None),
            OperatorSession.id != (but or ""),
        )
        .values(ended_at=utcnow())
        .returning(OperatorSession.id)
    )
    return len(list(ended))


def is_open(session: Session, row: OperatorSession) -> bool:
    """Has nobody ended a session by now? Locks it, so that it stays so until the commit."""
    session.refresh(row, ["ended_at"], with_for_update=True)
    return row.ended_at is None


def open_sessions(session: Session, operator_id: str) -> list[OperatorSession]:
    """The sessions of an operator that are good now, the last used first."""
    found = session.scalars(
        sa.select(OperatorSession)
        .where(OperatorSession.operator_id == operator_id, *ALIVE)
        .order_by(OperatorSession.seen_at.desc(), OperatorSession.id.desc()),
        _earliest_times(utcnow()),
    )
    return list(found)


def purge(session: Session) -> None:
    """Forget sessions that have long been over, and links that have run out. Commits."""
    now = utcnow()
    db.start_write(session)
    session.execute(sa.delete(OperatorSession).where(OperatorSession.created_at < now - RETENTION))
    session.execute(sa.delete(OneTimeLink).where(OneTimeLink.expires_at < now))
    session.commit()


def hashed(secret: str) -> str:
    """Of a long random secret a plain hash is enough: there is nothing to guess."""
    return hashlib.sha256(secret.encode()).hexdigest()


def summary() -> str:
    """The browser of this request in words: Firefox on Linux."""
    sent = request.headers.get("User-Agent", "")
    # In this order, because later ones also claim to be what stands behind them.
    browsers = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    browser = next((name for mark, name in (*browsers, ("Safari", "Safari")) if mark in sent), "A browser")
    system = next((f" on {name}" for mark, name in systems if mark in sent), "")
    return browser + system


def _load(token: str) -> SignedIn | None:
    session, now = db.session(), utcnow()
    row = session.scalar(BY_TOKEN, {"token_hash": hashed(token)} | _earliest_times(now))
    if request.method != "GET":  # a page reads on in this transaction; an action begins another one
        session.commit()
    if row is None:
        return None
    is_unasked = "X-Gangway-Live" in request.headers  # a page that reads itself again: nobody is there for it
    if now - row.seen_at > SEEN_INTERVAL and not is_unasked:
        db.start_write(session)
        row.seen_at = now
        session.commit()
    return SignedIn(token, row)


def _earliest_times(now: datetime) -> dict[str, datetime]:
    """The parameters of ALIVE."""
    return {
        "created_after": now - timedelta(hours=settings().operator_session_hours),
        "seen_after": now - timedelta(minutes=settings().operator_idle_minutes),
    }
