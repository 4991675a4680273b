"""The languages of the public pages. The console and the API use English.

Mark each text of a public page: `_("…")` in templates, `gettext` or `lazy_gettext` from here in Python.
"""

from typing import Any
from urllib.parse import urlencode

from babel import Locale
from flask import Flask, Response, request, url_for
from flask_babel import Babel, get_locale, refresh
from flask_babel import gettext as _gettext
from flask_babel import lazy_gettext as _lazy_gettext
from flask_babel import ngettext as _ngettext

from app.web.languages import selection
from app.web.languages.catalogues import CatalogueDomain
from app.web.languages.selection import NAMES, PARAMETER, RIGHT_TO_LEFT, Offered, offer, prefer

MAX_QUERY = 2000  # characters of an address that the links of the switch repeat
# Stripe's page has other codes, and no Arabic: there it follows the browser.
# Source: https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-locale
STRIPE_LOCALES = {"pt_BR": "pt-BR", "ar": "auto"}


class PageLanguage:
    """What templates need to know about the language of their page."""

    @property
    def code(self) -> str:
        """The language as the settings name it, such as `pt_BR`."""
        return str(current())

    @property
    def tag(self) -> str:
        """The language as HTML writes it, such as `pt-BR`."""
        return tag_of(str(current()))

    @property
    def direction(self) -> str:
        """`ltr`, or `rtl` for Arabic."""
        return direction_of(str(current()))

    @property
    def choices(self) -> list[dict[str, Any]]:
        """The languages to switch to. `url` shows this page again, or leads to the form after a POST.

        Empty for a page that is in English only.
        """
        if selection.is_english_only():
            return []
        now = str(current())
        return [
            {
                "value": each,
                "tag": tag_of(each),
                "direction": direction_of(each),
                "name": NAMES[each],
                "url": _url_of(each),
                "is_current": each == now,
            }
            for each in selection.offered_languages()
        ]


def init_app(app: Flask, offered: Offered = lambda: tuple(NAMES)) -> None:
    """Choose a language for each page. `offered` names the languages of the current profile."""
    app.extensions["gangway.languages"] = offered
    babel = Babel(app, locale_selector=selection.select)
    babel.domain_instance = CatalogueDomain()
    app.jinja_env.policies["ext.i18n.trimmed"] = True
    app.jinja_env.filters["translated"] = translated
    app.after_request(selection.remember_choice)

    @app.context_processor
    def _context() -> dict[str, object]:
        return {"page_language": PageLanguage()}

    @app.after_request
    def _describe(response: Response) -> Response:
        if response.mimetype == "text/html" and not selection.is_english_only():
            response.headers["Content-Language"] = tag_of(str(current()))
            response.vary.update(("Accept-Language", "Cookie"))
        return response


def current() -> Locale:
    """Return the language of this request; English in commands and in the worker."""
    return get_locale() or Locale("en")


def stripe_locale() -> str:
    """Return the language of this request as Stripe's page takes it."""
    language = str(current())
    return STRIPE_LOCALES.get(language, language)


def tag_of(language: str) -> str:
    """Return a language's name for HTML and HTTP."""
    return language.replace("_", "-")


def direction_of(language: str) -> str:
    """Return which way a language is written, as HTML says it."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def gettext(text: str, **values: object) -> str:
    """Translate a text, and fill in its placeholders `%(name)s`."""
    return str(_gettext(text, **values))


def ngettext(singular: str, plural: str, num: int, **values: object) -> str:
    """Translate a text in the form that a number needs. `%(num)s` is the number."""
    return str(_ngettext(singular, plural, num, **values))


def lazy_gettext(text: str, **values: object) -> Any:
    """Translate a text when it is shown: for what is defined once, such as the label of a field."""
    return _lazy_gettext(text, **values)


def mark(text: str) -> str:
    """Mark a text to be translated where a page shows it, by the filter `translated`."""
    return text


def translated(text: str) -> str:
    """Translate a text that was marked elsewhere. What has no translation, such as a bank's name, stays."""
    return str(_gettext(text)) if text else ""


def _url_of(language: str) -> str:
    """Return the address of this page in a language, relative to the page."""
    is_read = request.method in {"GET", "HEAD"}
    query = [(name, value) for name, value in request.args.items(multi=True) if name != PARAMETER]
    kept = urlencode(query, errors="replace") if is_read else ""
    chosen = urlencode({PARAMETER: tag_of(language)})
    path = "" if is_read else url_for("onboarding.form")
    return f"{path}?{kept}&{chosen}" if kept and len(kept) < MAX_QUERY else f"{path}?{chosen}"


__all__ = [
    "NAMES",
    "PageLanguage",
    "current",
    "direction_of",
    "gettext",
    "init_app",
    "lazy_gettext",
    "mark",
    "ngettext",
    "offer",
    "prefer",
    "refresh",
    "stripe_locale",
    "tag_of",
    "translated",
]
