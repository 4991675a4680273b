"""Values that a page shows once, sealed in the cookie between two requests."""

import json
import time

from flask import current_app
from flask import session as cookie

from app.core.secrets.sealing import Sealer, Unsealable
from app.operators.pages.guard import current

MAX_AGE = 300  # seconds


def keep(what: str, value: object) -> None:
    """Store a value for the next page that asks for it."""
    cookie["once"] = _sealer().seal(json.dumps([what, int(time.time()), value]), _row())


def take(what: str) -> object:
    """Return and delete the value for this page, or None. Leave the value of another page alone."""
    sealed = cookie.get("once")
    if sealed is None:
        return None
    try:
        kept_for, at, value = json.loads(_sealer().open(sealed, _row()))
    except Unsealable:
        return None
    if kept_for != what:
        return None
    del cookie["once"]
    return value if time.time() - at < MAX_AGE else None


def _row() -> str:
    return f"operator:{current().id}:once"


def _sealer() -> Sealer:
    found = current_app.extensions["gangway.sealer"]
    assert isinstance(found, Sealer)
    return found
