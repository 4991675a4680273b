"""Absolute URLs, from the setting and never from what a request claims to be."""

from typing import Any

from flask import url_for

from app.config import settings


def external(endpoint: str, **values: Any) -> str:
    """The absolute URL of a route."""
    return settings().public_url + url_for(endpoint, **values)
