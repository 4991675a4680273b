"""The browser of a visitor."""

import secrets

from flask import session as cookie


def name_browser() -> str:
    """Return the nonce that identifies this browser. Create it when there is none."""
    cookie.permanent = True
    return str(cookie.setdefault("browser", secrets.token_urlsafe(24)))
