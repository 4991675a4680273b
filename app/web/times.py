"""How pages speak of time."""

from datetime import UTC, datetime
from functools import lru_cache
from math import floor

from babel.dates import format_date, format_time, format_timedelta
from flask import Flask

from app.core.db import utcnow
from app.web import languages
from app.web.languages import gettext


def init_app(app: Flask) -> None:
    """Let templates say how long ago, or how soon, something is."""
    app.jinja_env.filters.update(ago=ago, day=day, instant=minute)


def ago(instant: datetime) -> str:
    """`3 minutes ago` or `in 2 days`, in the language of the page."""
    return _from_now(floor((instant - utcnow()).total_seconds()), str(languages.current()))


@lru_cache(maxsize=4096)  # finding the plural form takes as long as reading a row
def _from_now(seconds: int, language: str) -> str:
    return format_timedelta(seconds, add_direction=True, locale=language)


def day(instant: datetime) -> str:
    """Return a day with its month in words, in the language of the page."""
    return format_date(instant, "long", locale=_locale())


def minute(instant: datetime) -> str:
    """Return a day and a time to the minute, in UTC and in the language of the page."""
    return gettext(
        "%(date)s at %(time)s UTC",
        date=day(instant),
        time=format_time(instant, "short", tzinfo=UTC, locale=_locale()),
    )


def _locale() -> str:
    """Return the locale of dates. In English, readers everywhere read `4 March 2026 at 05:06` correctly."""
    language = str(languages.current())
    return "en_GB" if language == "en" else language
