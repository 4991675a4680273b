"""Addresses as they arrive. A part of a path may hold a slash: a customer's key `a/b` comes as `a%2Fb`."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask
from werkzeug.routing import BaseConverter

# https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
ABSOLUTE = re.compile(r"^https?://[^/]*", re.IGNORECASE)
# Until routing is done, a private character and a digit replace an encoded slash, or the character.
MARK = "\ue000"
SLASH, ITSELF = MARK + "1", MARK + "0"


BARE = re.compile("[^\x00-\x7f]")
ENCODED = re.compile("%2f|%ee%80%80", re.IGNORECASE)  # a slash, or the mark


class Segment(BaseConverter):
    """One part of a path, with whatever it held before it was encoded."""

    regex = "[^/]+"
    part_isolating = True

    def to_python(self, value: str) -> str:
        """Put the slashes back."""
        return value.replace(SLASH, "/").replace(ITSELF, MARK)


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
        if path.startswith("/api/") and ENCODED.search(path):
            environ["PATH_INFO"] = b"/".join(map(_marked, path.split("/"))).decode("latin-1")
        # Flask reads encoded bytes that are no UTF-8 as other characters, but fails on bare ones.
        environ["QUERY_STRING"] = BARE.sub(_encoded, environ.get("QUERY_STRING", ""))
        return inner(environ, start_response)

    app.wsgi_app = outer  # type: ignore[method-assign]


def _encoded(found: re.Match[str]) -> str:
    return f"%{ord(found[0]):02X}"


def _marked(part: str) -> bytes:
    decoded = unquote_to_bytes(part).replace(MARK.encode(), ITSELF.encode())
    return decoded.replace(b"/", SLASH.encode())
