"""Text that no database stores is refused before any route sees it.

PostgreSQL stores no NUL, and no database half a surrogate pair. Bytes that are no UTF-8 have become other
characters by now. JSON bodies are checked where they are read, by the same rule: web/api.py.
"""

from collections.abc import Iterator

from flask import Flask, abort, request

from app.core.errors import Invalid
from app.web.wire import is_unstorable

SENTENCE = "This has characters that can't be stored. Go back and type it again."


def init_app(app: Flask) -> None:
    """Check the path, the query and the form of each page. The API names the bad field instead."""

    @app.before_request
    def refuse_unstorable() -> None:
        if request.path.startswith("/api/"):
            return
        if is_unstorable(request.path):
            abort(404)
        if any(map(is_unstorable, _texts())):
            raise Invalid(SENTENCE)


def _texts() -> Iterator[str]:
    for values in (request.args, request.form):
        for name, value in values.items(multi=True):
            yield name
            yield value
    for name, file in request.files.items(multi=True):
        yield name
        yield file.filename or ""
