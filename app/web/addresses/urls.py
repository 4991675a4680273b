"""Absolute URLs, from the setting and never from what a request claims to be."""

from typing import Any

from flask import current_app

from app.core.config import settings


def external(endpoint: str, **values: Any) -> str:
    """The absolute URL of a route. Commands may ask for one, too."""
    return settings().public_url + current_app.url_map.bind("").build(endpoint, values)
