"""What a page shows this once: sealed in the cookie, from the answer that made it to the page."""

import json
import time

from flask import current_app
from flask import session as cookie

from app.core.sealing import Sealer, Unsealable
from app.operators.pages.guard import current

LASTS = 300  # seconds


def keep(what: str, value: object) -> None:
    """Have the next page that asks for this show it."""
    cookie["once"] = _sealer().seal(json.dumps([what, int(time.time()), value]), _row())


def take(what: str) -> object:
    """What was kept for this page, or None. It is not there a second time; another page leaves it alone."""
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
    return value if time.time() - at < LASTS else None


def _row() -> str:
    return f"operator:{current().id}:once"


def _sealer() -> Sealer:
    found = current_app.extensions["gangway.sealer"]
    assert isinstance(found, Sealer)
    return found
