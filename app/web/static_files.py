"""Our style sheets, scripts and drawings: with an address that changes when they change, and compressed."""

import gzip
import hashlib
import mimetypes
import os
from functools import cached_property
from pathlib import Path
from stat import S_ISREG
from typing import Any

import brotli
from flask import Flask, Response, abort, request
from werkzeug.security import safe_join

from app.core.values import frozen

FINGERPRINT = "v"  # the parameter of an address; a file that changes gets another one
MAX_AGE = 365 * 24 * 3600
FINGERPRINT_LENGTH = 16
COMPRESSIBLE = {"text/css", "text/javascript", "image/svg+xml", "text/plain", "application/json"}


@frozen
class StaticFile:
    """One file as it was when it was read first. Each encoding is made once, when a client asks for it."""

    body: bytes
    mimetype: str
    read_at: tuple[int, int]  # time and size of the file

    @classmethod
    def read(cls, path: str, status: os.stat_result) -> "StaticFile":
        """Read a file. Its status was looked up before, so that a change in between is noticed later."""
        mimetype = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return cls(Path(path).read_bytes(), mimetype, _stamp(status))

    @cached_property
    def fingerprint(self) -> str:
        """The name of this content."""
        return hashlib.sha256(self.body).hexdigest()[:FINGERPRINT_LENGTH]

    @cached_property
    def brotli(self) -> bytes:
        """The content, compressed as far as Brotli can."""
        return bytes(brotli.compress(self.body))

    @cached_property
    def gzip(self) -> bytes:
        """The content for clients that do not know Brotli. The same bytes in every process."""
        return gzip.compress(self.body, mtime=0)

    def encoded(self) -> tuple[bytes, str | None]:
        """Return the content as this client takes it, and the name of the encoding."""
        if self.mimetype not in COMPRESSIBLE:
            return self.body, None
        accepted = request.accept_encodings
        if accepted.quality("br"):
            return self.brotli, "br"
        return (self.gzip, "gzip") if accepted.quality("gzip") else (self.body, None)


class StaticFiles:
    """The files of a folder, each read when it is needed first. Secrets are in none of them.

    So compressing them reveals nothing (https://breachattack.com). Pages are not compressed here.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._read: dict[str, StaticFile] = {}

    def find(self, name: str) -> StaticFile | None:
        """Return a file of the folder. One that was changed since, as in a demo, is read again."""
        path = safe_join(self._folder, name)
        if path is None:  # it is outside the folder
            return None
        try:
            status = Path(path).stat()
            if not S_ISREG(status.st_mode):
                return None
            known = self._read.get(path)
            if known is None or known.read_at != _stamp(status):
                known = self._read[path] = StaticFile.read(path, status)
        except (OSError, ValueError):  # there is none, or its name is too long or holds a null
            return None
        return known

    def serve(self, filename: str) -> Response:
        """Answer with a file. Under its fingerprint it may be kept for a year."""
        found = self.find(filename)
        if found is None:
            abort(404)
        body, encoding = found.encoded()
        response = Response(body, mimetype=found.mimetype)
        if encoding:
            response.content_encoding = encoding
        if found.mimetype in COMPRESSIBLE:
            response.vary.add("Accept-Encoding")
        response.set_etag(f"{found.fingerprint}-{encoding or 'plain'}")
        if request.args.get(FINGERPRINT) == found.fingerprint:
            response.headers["Cache-Control"] = f"public, max-age={MAX_AGE}, immutable"
        else:
            response.headers["Cache-Control"] = "public, no-cache"
        response.make_conditional(request.environ)
        return response

    def add_fingerprint(self, endpoint: str, values: dict[str, Any]) -> None:
        """Put the fingerprint into the address of a file."""
        if endpoint == "static" and FINGERPRINT not in values:
            found = self.find(str(values.get("filename", "")))
            if found is not None:
                values[FINGERPRINT] = found.fingerprint


def init_app(app: Flask) -> None:
    """Serve the static folder in place of Flask's own view."""
    assert app.static_folder is not None
    files = StaticFiles(app.static_folder)
    app.view_functions["static"] = files.serve
    app.url_defaults(files.add_fingerprint)


def _stamp(status: os.stat_result) -> tuple[int, int]:
    return status.st_mtime_ns, status.st_size
