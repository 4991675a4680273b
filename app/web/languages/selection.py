"""Which language a reader gets: their own choice, else the link's, else what their browser asks for."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache

from flask import Response, current_app, g, has_request_context, request
from flask import session as cookie
from flask_babel import refresh
from werkzeug.datastructures import LanguageAccept
from werkzeug.exceptions import HTTPException
from werkzeug.http import parse_accept_header

# Each by its own name, so that its readers find it. The order is that of the switch.
NAMES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "pt_BR": "Português (Brasil)",
    "nl": "Nederlands",
    "pl": "Polski",
    "ja": "日本語",
    "ar": "العربية",
}
RIGHT_TO_LEFT = {"ar"}  # Babel knows as well, but would read 2 MB about each language first
PREFERRED = "preferred_language"  # in the browser's session: what a hand-over said
PARAMETER = "language"  # of an address or a form: the reader's own choice
COOKIE_AGE = 365 * 24 * 3600
MAX_CACHED = 200  # characters of Accept-Language; longer ones are read each time
MAX_TAGS = 20  # of Accept-Language; people have fewer
ENGLISH_ONLY = {"operator", "api"}  # the console, and what programs read

Offered = Callable[[], Sequence[str]]


def select() -> str:
    """Return the language for this request. Commands and the worker use English."""
    if not has_request_context() or is_english_only():
        return "en"
    offered = offered_languages()
    wishes = (_wish(), request.cookies.get(cookie_name()), cookie.get(PREFERRED))
    own = (match(wish, offered) for wish in wishes if wish)
    return next((found for found in own if found), None) or accepted(offered) or offered[0]


def offer(languages: Iterable[str]) -> None:
    """Offer these languages on this page, the default one first."""
    g.offered_languages = tuple(one for one in languages if one in NAMES)
    refresh()


def prefer(language: str | None) -> None:
    """Show this page and the next ones in a hand-over's language, unless the reader chose another."""
    if language and cookie.get(PREFERRED) != language:
        cookie[PREFERRED] = language
    refresh()


def offered_languages() -> tuple[str, ...]:
    """Return the languages of this page, the default one first. There is always one."""
    provider: Offered = current_app.extensions["gangway.languages"]
    named = g.get("offered_languages") or tuple(one for one in provider() if one in NAMES)
    return named or ("en",)


def chosen() -> str | None:
    """Return the language that the reader has just chosen on this page, if we offer it."""
    return match(_wish() or "", offered_languages())


def _wish() -> str | None:
    """Return what the request says, if it says anything. A body that is too large says nothing."""
    try:
        return request.values.get(PARAMETER)
    except HTTPException:
        return None


def match(tag: str, offered: Sequence[str]) -> str | None:
    """Find an offered language for a tag: the same one, else one that differs only in its region."""
    wish = tag.strip().replace("-", "_").lower()
    language = wish.partition("_")[0]
    same = (one for one in offered if one.lower() == wish)
    related = (one for one in offered if one.lower().partition("_")[0] == language)
    return next(same, None) or next(related, None)


def accepted(offered: Sequence[str]) -> str | None:
    """Find the first language of Accept-Language that we offer.

    Werkzeug's own `best_match` prefers an exact match, and would give English to "de-AT, en;q=0.5".
    """
    header = request.headers.get("Accept-Language", "")
    find = _first_accepted if len(header) < MAX_CACHED else _first_accepted.__wrapped__
    return find(header, tuple(offered))


@lru_cache(maxsize=512)
def _first_accepted(header: str, offered: tuple[str, ...]) -> str | None:
    for tag, quality in list(parse_accept_header(header, LanguageAccept))[:MAX_TAGS]:
        found = offered[0] if tag == "*" else match(tag, offered)
        if quality > 0 and found:
            return found
    return None


def is_english_only() -> bool:
    """Is this page one of the console, or an answer for programs?"""
    return request.path.split("/", 2)[1] in ENGLISH_ONLY


def cookie_name() -> str:
    """Return the name of the cookie that keeps the choice."""
    return "__Host-gangway-language" if current_app.config["SESSION_COOKIE_SECURE"] else "gangway-language"


def remember_choice(response: Response) -> Response:
    """Keep what the reader chose on this page, in a cookie that holds nothing else."""
    if is_english_only() or _wish() is None:
        return response
    language = chosen()
    if language and request.cookies.get(cookie_name()) != language:
        response.set_cookie(
            cookie_name(),
            language,
            max_age=COOKIE_AGE,
            secure=current_app.config["SESSION_COOKIE_SECURE"],
            httponly=True,
            samesite="Lax",
        )
    return response
