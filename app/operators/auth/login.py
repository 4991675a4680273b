"""Logging in: who may try how often, whether the password fits, and what happens then."""

import hashlib
import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
import structlog
from flask import Flask, Response, current_app, request
from itsdangerous import BadSignature
from limits import RateLimitItem, parse
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from app import audit
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.values import frozen
from app.operators import queries
from app.operators.auth import accounts, passwords, sessions
from app.operators.models import Operator
from app.web import limits
from app.web.addresses.client_address import client_address
from app.web.input.signed import Serializer, serializer

log = structlog.get_logger("gangway.operators")

# Tries of one account, whether or not it exists. Short windows, and strangers are counted by address first,
# so that who fails on purpose can't keep the owner out for long.
ADDRESS_LIMIT = parse("10 per 10 minutes")  # one address, or one browser that was logged in before
ACCOUNT_LIMIT = parse("30 per 10 minutes")  # all addresses together, but for those browsers
FAILURE_NOTE_INTERVAL = timedelta(minutes=10)
DEVICE = "gangway-device"
DEVICE_DURATION = timedelta(days=90)  # or until the password changes


TooManyAttempts = limits.TooMany  # here: an account was tried too often


@frozen
class Credentials:
    """What an operator logs in with, as it was when somebody's password and code were checked."""

    password_hash: str | None
    totp_enabled_at: datetime | None
    signed_out_at: datetime | None  # in every browser: a login that was under way ends, too

    @classmethod
    def of(cls, operator: Operator) -> "Credentials":
        """Return those that an operator has now."""
        return cls(operator.password_hash, operator.totp_enabled_at, operator.signed_out_at)


def check_password(session: Session, email: str, password: str) -> Operator | None:
    """Return the operator of this email address and password, or None if either is wrong.

    Whatever is wrong, one hash is verified, so time does not tell which. Raises TooManyAttempts.
    """
    operator = queries.by_email(session, email)
    db.end_read(session)
    _spend("password", email, operator)
    fits = passwords.fits(operator.password_hash if operator else None, password)
    if operator is None or not fits or operator.disabled_at is not None:
        return None
    _forgive("password", email, operator)
    return operator


def confirm_password(session: Session, operator: Operator, password: str) -> bool:
    """Does somebody who is logged in still know the password? Raises TooManyAttempts."""
    if check_password(session, operator.email, password) is not None:
        return True
    log_failure(operator.email, "operator.password_not_confirmed")
    return False


def spend_code(operator: Operator) -> None:
    """Count a try of a second factor. Raises TooManyAttempts."""
    _spend("code", operator.email, operator)


def forgive_codes(operator: Operator) -> None:
    """A right code was given: earlier tries count no more."""
    _forgive("code", operator.email, operator)


def complete(
    session: Session, operator: Operator, checked: Credentials, *, password: str | None = None
) -> bool:
    """Log this browser in. Commits. False when the account has other credentials than those checked.

    With the password, renew a hash of an older profile.
    """
    renewed = checked.password_hash
    if password is not None and renewed is not None and passwords.is_outdated(renewed):
        renewed = passwords.hashed(password)
    db.start_write(session)
    operator = accounts.locked(session, operator.id)
    if operator.disabled_at is not None or Credentials.of(operator) != checked:
        session.rollback()
        return False
    operator.password_hash, operator.last_login_at = renewed, utcnow()
    signed_in = sessions.begin(session, operator)
    audit.note(
        session,
        "operator.logged_in",
        actor=f"operator:{operator.id}",
        operator_session_id=signed_in.row.id,
    )
    session.commit()
    sessions.enter(signed_in)
    return True


def remember_device(response: BaseResponse, operator: Operator) -> None:
    """Give this browser a cookie, so that its tries count apart from those of strangers.

    It is no login. Without it, an attacker who fails on purpose would lock the owner out.
    Source: https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
    """
    response.set_cookie(
        _device_cookie(),
        _signer().sign([_device_owner(operator), secrets.token_urlsafe(16)]),
        max_age=DEVICE_DURATION,
        secure=settings().is_secure,
        httponly=True,
        samesite="Lax",
    )


def note_failure_later(response: Response, email: str, kind: str) -> Response:
    """Record a failed try in the audit log, if there is such an account: now and then, not each time.

    Written once the answer is sent, so that its time does not tell whether there is one.
    """
    log_failure(email, kind)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 (its only way)
    response.call_on_close(lambda: _note_failure(app, email, kind))
    return response


def log_failure(email: str, kind: str) -> None:
    """Log the hash of the account's email address, and the address of the visitor."""
    log.warning(kind, email_sha256=_digest(email), address=request.remote_addr or "")


def _note_failure(app: Flask, email: str, kind: str) -> None:
    now = utcnow()
    with app.app_context():
        session = db.session()
        db.start_write(session)
        noted = session.scalar(
            sa.update(Operator)
            .where(
                Operator.email_folded == queries.folded(email),
                sa.or_(
                    Operator.failure_noted_at.is_(None),
                    Operator.failure_noted_at < now - FAILURE_NOTE_INTERVAL,
                ),
            )
            .values(failure_noted_at=now)
            .returning(Operator.id)
        )
        if noted is not None:
            audit.note(session, kind, actor="login page", operator_id=noted)
        session.commit()


def _spend(what: str, email: str, operator: Operator | None) -> None:
    """Count a try before it is made, because many may be made at once."""
    limits.current().spend_items((limit, (what, key)) for limit, key in _buckets(email, operator))


def _forgive(what: str, email: str, operator: Operator | None) -> None:
    limits.current().clear((limit, (what, key)) for limit, key in _buckets(email, operator))


def _buckets(email: str, operator: Operator | None) -> list[tuple[RateLimitItem, str]]:
    """Where a try is counted."""
    account = f"operator-{_digest(email)}"
    try:
        cookie = request.cookies.get(_device_cookie(), "")
        owner, nonce = _signer().loads(cookie, max_age=int(DEVICE_DURATION.total_seconds()))
    except (BadSignature, ValueError):
        owner = nonce = None
    if operator is not None and owner == _device_owner(operator):
        return [(ADDRESS_LIMIT, f"{account}-{nonce}")]
    return [(ADDRESS_LIMIT, f"{account}-{client_address()}"), (ACCOUNT_LIMIT, account)]


def _digest(email: str) -> str:
    return hashlib.sha256(queries.folded(email).encode()).hexdigest()


def _device_owner(operator: Operator) -> str:
    """Identify the device's owner: an operator and the current password."""
    return _digest(f"{operator.email} {operator.password_changed_at}")


def _signer() -> Serializer:
    return serializer(tuple(settings().signing_keys), "operator-device")


def _device_cookie() -> str:
    return f"__Host-{DEVICE}" if settings().is_secure else DEVICE


def given_since(at: float, operator: Operator) -> bool:
    """Is a password that was entered at that time still the current one, with no log-out since?"""
    given = datetime.fromtimestamp(at, UTC)
    return all(end is None or given >= end for end in (operator.password_changed_at, operator.signed_out_at))
