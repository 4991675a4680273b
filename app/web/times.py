"""How pages speak of time."""

from datetime import datetime

from babel.dates import format_timedelta
from flask import Flask

from app.core.db import utcnow


def init_app(app: Flask) -> None:
    """Let templates say how long ago, or how soon, something is."""
    app.jinja_env.filters["ago"] = ago


def ago(instant: datetime) -> str:
    """`3 minutes ago` or `in 2 days`, in English as all pages are."""
    return format_timedelta(instant - utcnow(), add_direction=True, locale="en")
