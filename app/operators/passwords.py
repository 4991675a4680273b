"""Passwords: which are good, how they are kept, whether one fits."""

import threading
import unicodedata
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Flask, current_app
from zxcvbn import zxcvbn

from app.errors import Invalid

SHORTEST, LONGEST = 12, 128
GOOD = 3  # of 0 to 4: safe against somebody who has stolen the hashes, for a while
LOOKED_AT = 72  # characters; more would take long, and nobody guesses that far
# Verified in place of the hash of somebody who does not exist, so that both take the same time.
NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$aMBtYJjrS9qVxupj6hWLFA$meeduz5xsaf+Q/E1kjhzQsqDtcqpJrh1tGOq7ajKdl0"

_guessing = threading.Lock()  # zxcvbn keeps the words about a person where all threads see them


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


def check(password: str, about: Iterable[str]) -> None:
    """Raise Invalid with what is wrong with a new password of somebody about whom these words are known."""
    length = len(password)
    if length < SHORTEST:
        raise Invalid(f"A password has {SHORTEST} characters or more; this one has {length}.")
    if length > LONGEST:
        raise Invalid(f"A password has {LONGEST} characters at most; this one has {length}.")
    with _guessing:
        found = zxcvbn(password[:LOOKED_AT], user_inputs=list(_words(about)))
    if found["score"] < GOOD:
        feedback = found["feedback"]
        why = feedback["warning"].rstrip(".") or "it follows a pattern"
        advice = " ".join(f"{hint.rstrip('.')}." for hint in feedback["suggestions"])
        raise Invalid(f"This password is easy to guess: {why[0].lower()}{why[1:]}. {advice}".strip())


def _words(about: Iterable[str]) -> Iterable[str]:
    for text in about:
        yield text
        yield from (word for word in text.replace("@", " ").replace(".", " ").split() if len(word) > 2)


def _plain(password: str) -> str:
    """One keyboard composes an umlaut, another types it whole: the same password."""
    return unicodedata.normalize("NFKC", password)


def _hasher() -> PasswordHasher:
    found = current_app.extensions["gangway.passwords"]
    assert isinstance(found, PasswordHasher)
    return found
