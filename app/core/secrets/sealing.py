"""Secrets at rest: sealed with authenticated encryption and bound to the row they belong to."""

import json
from functools import cached_property

from cryptography import fernet

from app.core.errors import PreconditionFailed

SEALED = {"sealed": True}  # the `info` of a column that holds sealed secrets


class Unsealable(PreconditionFailed):
    """A sealed value that no key opens, or that was moved here from another row."""


class Sealer:
    """Seals with the first key, opens with any: put a new key first to rotate.

    Fernet has no associated data, so the sealed text contains the row's name, which is checked when it is
    opened. A value copied from one row to another does not open there.
    """

    def __init__(self, keys: list[str]) -> None:
        self._keys = keys
        self.has_old_keys = len(keys) > 1

    @cached_property
    def _fernet(self) -> "fernet.MultiFernet":
        return fernet.MultiFernet([fernet.Fernet(key) for key in self._keys])

    @cached_property
    def _first(self) -> "fernet.Fernet":
        return fernet.Fernet(self._keys[0])

    def seal(self, secret: str, row: str) -> str:
        """Seal a secret for the named row, such as `app:01J…:api_key`."""
        return self._fernet.encrypt(json.dumps([row, secret]).encode()).decode()

    def open(self, sealed: str, row: str) -> str:
        """Give back the secret. Raises Unsealable for a wrong key, row or text."""
        try:
            sealed_for, secret = json.loads(self._fernet.decrypt(sealed.encode()))
        except fernet.InvalidToken as error:
            raise Unsealable(
                f"No key in GANGWAY_ENCRYPTION_KEYS opens the secret of {row}. Put the former key back"
                " behind the new one."
            ) from error
        if sealed_for != row:
            raise Unsealable(f"The secret of {row} was sealed for another row.")
        return str(secret)

    def is_open(self, sealed: str) -> bool:
        """Does a key open this, whatever row it belongs to?"""
        return _opens(self._fernet, sealed)

    def is_current(self, sealed: str) -> bool:
        """Is this sealed with the first key?"""
        return _opens(self._first, sealed)

    def reseal(self, sealed: str) -> str:
        """Seal the same secret for the same row with the first key. Some key must open it."""
        return self._fernet.rotate(sealed.encode()).decode()


def _opens(keys: "fernet.Fernet | fernet.MultiFernet", sealed: str) -> bool:
    try:
        keys.decrypt(sealed.encode())
    except fernet.InvalidToken:
        return False
    return True
