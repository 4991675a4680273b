"""The token of a hand-over: a JSON Web Token with the algorithm HS256, and nothing else.

Sources: https://www.rfc-editor.org/rfc/rfc7519 and https://www.rfc-editor.org/rfc/rfc8725
"""

import hashlib
import hmac
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ValidationError
from sqlalchemy.orm import Session

from app.core.config import settings
from app.core.db import new_id, utcnow
from app.core.errors import AppError
from app.core.values import frozen
from app.onboarding.handovers.details import HandoverAddress, HandoverDetails
from app.onboarding.handovers.signing_secrets import LiveSecret, live_secrets
from app.web.input.storable import is_unstorable

ALGORITHM = "HS256"
MAX_TOKEN_LENGTH = 3500  # the web server takes an address of 4,094 characters
MAX_LIFETIME = timedelta(days=7)
FORM_LIFETIME = timedelta(hours=2)  # a form may be sent this long after a valid token drew it
CLOCK_SKEW = timedelta(minutes=1)  # between the company's clock and ours
OUR_KEY_ID = "gangway"  # a token that an API call made is signed with our own key
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
REGISTERED = {"iss", "sub", "aud", "exp", "nbf", "iat", "jti"}
# In lower case, because the parts of an address are read in any letter case.
ADDRESS_NAMES = {
    each.lower()
    for name, field in HandoverAddress.model_fields.items()
    for each in (name, field.alias or name)
}
WRONG, EXPIRED, USED, UNFIT = "wrong", "expired", "used", "unfit"
STATUSES = {WRONG: 404, UNFIT: 422}


class HandoverRefused(AppError):
    """A token that is refused. `kind` says what the visitor reads, and the detail goes to the log."""

    status = 404
    title = "Go back to the app"

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = STATUSES.get(kind, 410)


@frozen
class Handover:
    """A verified hand-over."""

    details: HandoverDetails
    fingerprint: str  # of what was signed: the same for every spelling of one token
    expires_at: datetime
    made_at: datetime | None  # None: the token does not say
    actor: str  # who signed it, as the audit log names it
    secret_id: str | None  # None: our own key


def issue(details: HandoverDetails, *, issuer: str, expires_at: datetime) -> str:
    """Return a token for details that a program gave us."""
    import jwt  # noqa: PLC0415  (with the algorithms that we do not use, this takes long)

    claims = details.answer() | {
        "iss": issuer,
        "iat": utcnow().timestamp(),
        "exp": int(expires_at.timestamp()),
        "jti": new_id(),  # two hand-overs with the same details are two
    }
    headers = {"kid": OUR_KEY_ID}
    return jwt.encode(claims, _own_keys()[0].text, algorithm=ALGORITHM, headers=headers)


def read(session: Session, token: str, *, grace: timedelta = timedelta()) -> Handover:
    """Verify a token. Changes nothing. Raises HandoverRefused.

    With `grace`, one that has expired since is taken for that long: somebody was filling in the form.
    """
    if len(token) > MAX_TOKEN_LENGTH or not TOKEN.fullmatch(token):
        raise HandoverRefused(WRONG, "This is not a JSON Web Token, or it is too long.")
    key_id = _key_id(token)
    keys = _own_keys() if key_id == OUR_KEY_ID else live_secrets(session)
    for key in keys:
        if key_id in {None, key.id}:
            claims = _claims(token, key, grace)
            if claims is not None:
                return _handover(token, key, claims)
    raise HandoverRefused(WRONG, "No secret in use fits the signature.")


def _key_id(token: str) -> str | None:
    """Return the key that a token names. Nothing of it is verified yet."""
    import jwt  # noqa: PLC0415

    try:
        header = jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError, RecursionError) as error:
        raise HandoverRefused(WRONG, "This is not a JSON Web Token.") from error
    if header.get("alg") != ALGORITHM:
        raise HandoverRefused(WRONG, "The algorithm is not HS256.")
    key_id = header.get("kid")
    return key_id if isinstance(key_id, str) else None


def _claims(token: str, key: LiveSecret, grace: timedelta) -> dict[str, Any] | None:
    """Return the claims if a key fits. Raises HandoverRefused for a signed token that is out of date."""
    import jwt  # noqa: PLC0415

    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key.text,
            algorithms=[ALGORITHM],
            leeway=CLOCK_SKEW + grace,
            options={"require": ["exp"], "verify_aud": False, "verify_sub": False, "verify_jti": False},
        )
    except jwt.InvalidSignatureError:
        return None
    except jwt.ExpiredSignatureError as error:
        raise HandoverRefused(EXPIRED, "The token has expired.") from error
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError) as error:
        raise HandoverRefused(WRONG, f"The token is not valid: {type(error).__name__}.") from error
    return claims


def _handover(token: str, key: LiveSecret, claims: dict[str, Any]) -> Handover:
    expires_at, made_at = _expiry(claims), _issue_time(claims)
    if claims.get("aud", settings().public_url) != settings().public_url:
        raise HandoverRefused(WRONG, "The token is for another address than ours: see its claim aud.")
    said = {name: value for name, value in claims.items() if name not in REGISTERED}
    unknown = _unknown(said)
    if unknown:  # a misspelt `locked` must not leave everything open
        raise HandoverRefused(WRONG, f"Unknown claims: {', '.join(unknown)[:200]}.")
    try:
        details = HandoverDetails.model_validate(said)
    except ValidationError as error:
        wrong = sorted({str(problem["loc"][0]) if problem["loc"] else "locked" for problem in error.errors()})
        raise HandoverRefused(WRONG, f"Claims that can't be used: {', '.join(wrong)}.") from error
    if any(map(is_unstorable, _texts(said))):
        raise HandoverRefused(WRONG, "The token has text that can't be stored.")
    is_own = key.id == OUR_KEY_ID
    return Handover(
        details=details,
        # A signature may be spelt in several ways. What it signs can't.
        fingerprint=hashlib.sha256(token.rpartition(".")[0].encode()).hexdigest(),
        expires_at=expires_at,
        made_at=made_at,
        actor=str(claims.get("iss", "")) if is_own else f"handover:{key.id}",
        secret_id=None if is_own else key.id,
    )


def _unknown(said: dict[str, Any]) -> list[str]:
    """List the names that we don't know, also those in the address."""
    known = {field.alias or name for name, field in HandoverDetails.model_fields.items()}
    address = said.get("billingAddress")
    parts = set(address) if isinstance(address, dict) else set()
    foreign = {f"billingAddress.{name}" for name in parts if name.lower() not in ADDRESS_NAMES}
    return sorted((said.keys() - known) | foreign)


def _expiry(claims: dict[str, Any]) -> datetime:
    expires_at = _time(claims, "exp")
    if expires_at > utcnow() + MAX_LIFETIME + CLOCK_SKEW:
        raise HandoverRefused(WRONG, f"The claim exp lies more than {MAX_LIFETIME.days} days ahead.")
    return expires_at


def _issue_time(claims: dict[str, Any]) -> datetime | None:
    """Return when a token was made. The company's clock may run ahead."""
    return min(_time(claims, "iat"), utcnow()) if "iat" in claims else None


def _time(claims: dict[str, Any], name: str) -> datetime:
    try:
        return datetime.fromtimestamp(float(claims[name]), UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise HandoverRefused(WRONG, f"The claim {name} is no time in seconds.") from error


def _texts(value: Any) -> list[str]:
    """List every text in a claim, and the names of the parts."""
    if isinstance(value, dict):
        return [text for name, part in value.items() for text in (str(name), *_texts(part))]
    if isinstance(value, list):
        return [text for part in value for text in _texts(part)]
    return [value] if isinstance(value, str) else []


def _own_keys() -> list[LiveSecret]:
    """Our own keys, derived from those that sign cookies: the first one signs."""
    return [
        LiveSecret(OUR_KEY_ID, hmac.new(key.encode(), b"handover", hashlib.sha256).hexdigest())
        for key in reversed(settings().signing_keys)
    ]
