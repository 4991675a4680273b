"""The blank form. It is drawn once for each profile and language; each browser gets its own tokens in it."""

import re
import secrets
from typing import NamedTuple

from flask import Response, current_app

from app import portal
from app.core.config import Settings
from app.core.config import settings as current_settings
from app.onboarding.browsers import embedding
from app.onboarding.form.forms import Form, SignupForm
from app.onboarding.signup.form_page import draw_text
from app.web import languages
from app.web.input.forms import csrf_token

Key = tuple[str | None, str]  # profile and language

# Random, so that nothing else on a page reads like one of them.
CSRF_TOKEN, NONCE = secrets.token_hex(16), secrets.token_hex(16)
TOKENS = re.compile(f"({CSRF_TOKEN}|{NONCE})".encode())


class DrawnPage(NamedTuple):
    """A page without its tokens, and what it was drawn from. It is used while none of that changes."""

    settings: Settings
    profile: portal.Profile
    is_test_mode: bool
    files: tuple[object, ...]
    pieces: tuple[bytes, ...]  # with the names of the tokens among them


def blank_page() -> str | Response:
    """Return the page with a blank form. It is drawn from the settings and the profile alone."""
    if embedding.is_embedded():
        return draw_text(SignupForm.blank())
    pages: dict[tuple[str | None, str], DrawnPage] = current_app.extensions.setdefault(
        "gangway.blank_page", {}
    )
    key = (portal.current_slug(), str(languages.current()))
    settings, profile = current_settings(), portal.current_profile()
    others = (portal.is_test_mode(), portal.files())
    drawn = pages.get(key)
    is_current = drawn is not None and drawn.settings is settings and drawn.profile is profile
    if drawn is not None and is_current and (drawn.is_test_mode, drawn.files) == others:
        return _filled(drawn.pieces)
    form = SignupForm.blank()
    page = draw_text(form)
    html = page.replace(form.csrf_token.current_token, CSRF_TOKEN).replace(form.nonce.data, NONCE)
    pages[key] = DrawnPage(settings, profile, *others, tuple(TOKENS.split(html.encode())))
    return page


def _filled(pieces: tuple[bytes, ...]) -> Response:
    """Return the page with new tokens in place of their names."""
    tokens = {CSRF_TOKEN.encode(): csrf_token().encode(), NONCE.encode(): Form().nonce.encode()}
    return Response(b"".join(tokens.get(piece, piece) for piece in pieces), mimetype="text/html")
