"""Paths whose parts may hold a slash: a customer's key `a/b` is reached as `a%2Fb`."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.routing import BaseConverter

ABSOLUTE = re.compile(
    r"^https?://[^/]*", re.IGNORECASE
)  # https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
SLASH = "\ue000"  # stands for an encoded slash until routing is done; a private character nobody types


class Segment(BaseConverter):
    """One part of a path, with whatever it held before it was encoded."""

    regex = "[^/]+"
    part_isolating = True

    def to_python(self, value: str) -> str:
        """Put the slashes back."""
        return value.replace(SLASH, "/")


def init_app(app: Flask) -> None:
    """Keep encoded slashes apart from those between the parts, under /api/ only.

    WSGI servers decode the path before routing sees it; gunicorn and Werkzeug hand the raw one along.
    """
    app.url_map.converters["segment"] = Segment
    app.url_map.merge_slashes = False  # an empty part is none, not a redirect to an address without it
    inner = app.wsgi_app

    def outer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
        path = ABSOLUTE.sub("", raw.partition("?")[0])
        if path.startswith("/api/") and "%2f" in path.lower():
            parts = (unquote_to_bytes(part).replace(b"/", SLASH.encode()) for part in path.split("/"))
            environ["PATH_INFO"] = b"/".join(parts).decode("latin-1")
        return inner(environ, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]
