"""Passwords: which are good, how they are kept, whether one fits."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import field
from itertools import combinations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app

from app.core.errors import Invalid
from app.core.values import frozen
from app.operators.auth import password_strength

MIN_LENGTH, MAX_LENGTH = 12, 128
MIN_SCORE = 3  # of 0 to 4: safe against somebody who has stolen the hashes, for a while
LETTER_BY_LETTER = re.compile(r"[^\W_](?:[\W_]+[^\W_])+[\W_]*")
# Verified in place of the hash of somebody who does not exist, so that both take the same time.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$aMBtYJjrS9qVxupj6hWLFA$meeduz5xsaf+Q/E1kjhzQsqDtcqpJrh1tGOq7ajKdl0"


@frozen
class AcceptedPassword:
    """What is kept of a new password that is good enough."""

    hash: str = field(repr=False)


def init_app(app: Flask) -> None:
    """Hash as OWASP advises: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html"""
    app.extensions["gangway.passwords"] = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def hashed(password: str) -> str:
    """What is kept of a password."""
    return _hasher().hash(_plain(password))


def fits(stored: str | None, password: str) -> bool:
    """Is this the password? Takes the same time where there is none."""
    try:
        return _hasher().verify(stored or NOBODY, _plain(password)) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(stored: str) -> bool:
    """Was it hashed with another profile than today's?"""
    return _hasher().check_needs_rehash(stored)


def accept(password: str, about: Iterable[str]) -> AcceptedPassword:
    """Check and hash a new password. `about` holds texts about its owner. Raises Invalid.

    Both take a good part of a second, so do it before a transaction that writes.
    """
    length = len(password)
    if length < MIN_LENGTH:
        raise Invalid(f"A password has {MIN_LENGTH} characters or more; this one has {length}.")
    if length > MAX_LENGTH:
        raise Invalid(f"A password has {MAX_LENGTH} characters at most; this one has {length}.")
    found = password_strength.estimate(_joined(_plain(password)[:MAX_LENGTH]), _words(about))
    if found.score < MIN_SCORE:
        why = found.warning.rstrip(".") or "it follows a pattern"
        advice = " ".join(f"{hint.rstrip('.')}." for hint in found.suggestions)
        raise Invalid(f"This password is easy to guess: {why[0].lower()}{why[1:]}. {advice}".strip())
    return AcceptedPassword(hashed(password))


def _words(about: Iterable[str]) -> Iterator[str]:
    """What somebody would try: each text, its words, and an email address's domain whole and in parts."""
    for text in about:
        yield text
        local, _, domain = text.partition("@")
        labels = domain.split(".") if domain else []
        parts = [
            local,
            *(".".join(labels[first:last]) for first, last in combinations(range(len(labels) + 1), 2)),
        ]
        for part in (text, *parts):
            words = [word for word in re.split(r"[\W_]+", part) if word]
            yield part
            yield "".join(words)
            yield from (word for word in words if len(word) > 2)


def _joined(password: str) -> str:
    """A password that is spelled letter by letter, such as `a c m e`, without what separates the letters."""
    return re.sub(r"[\W_]+", "", password) if LETTER_BY_LETTER.fullmatch(password) else password


def _plain(password: str) -> str:
    """One keyboard composes an umlaut, another types it whole: the same password."""
    return unicodedata.normalize("NFKC", password)


def _hasher() -> PasswordHasher:
    found = current_app.extensions["gangway.passwords"]
    assert isinstance(found, PasswordHasher)
    return found
