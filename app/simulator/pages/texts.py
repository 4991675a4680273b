"""The language of Checkout's pages: that of the session, or of the browser if the session says `auto`."""

import json
from pathlib import Path
from typing import Any

from babel import Locale
from flask import request

from app.simulator.pages.countries import COUNTRIES

# By the English text, then by Stripe's name of the language. Stripe's own pages have no Arabic.
TEXTS: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("texts.json").read_text("utf-8"))
LANGUAGES = ("en", "de", "fr", "es", "it", "pt-BR", "nl", "pl", "ja")


class Wording:
    """The texts of a page in one language."""

    def __init__(self, locale: str | None) -> None:
        self.language = _find(locale) or _of_browser()

    def __call__(self, text: str, **values: Any) -> str:
        """Translate a text, and fill in its placeholders. Unknown texts stay in English."""
        found = TEXTS.get(text, {}).get(self.language, text)
        return found.format(**values) if values else found

    @property
    def countries(self) -> dict[str, str]:
        """The countries that the form offers, by their names in this language."""
        names = Locale.parse(self.language, sep="-").territories
        return dict(sorted(((code, names[code]) for code in COUNTRIES), key=lambda pair: pair[1]))


def _find(locale: str | None) -> str | None:
    """Find the language of a session's locale, such as `de` or `es-419`."""
    tag = (locale or "auto").partition("-")[0]
    return next((each for each in LANGUAGES if each.partition("-")[0] == tag), None)


def _of_browser() -> str:
    wishes = (_find(tag) for tag in request.accept_languages.values())
    return next((found for found in wishes if found), LANGUAGES[0])
