"""Refuse text that no database can store, before a route sees it.

PostgreSQL stores no NUL, and no database stores half a surrogate pair. Flask has already replaced bytes that
are not UTF-8. `app/api/parsing.py` checks JSON bodies by the same rule.
"""

import re
from collections.abc import Iterator

from flask import Flask, abort, request

from app.core.errors import Invalid
from app.web.languages import gettext
from app.web.languages import lazy_gettext as _

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Unstorable(Invalid):
    """Somebody sent text that no database can store."""

    advice = _("Go back and type it again.")


def init_app(app: Flask) -> None:
    """Check the path, the query and the form of each page. The API names the bad field instead."""

    @app.before_request
    def refuse_unstorable() -> None:
        if request.path.startswith("/api/"):
            return
        if is_unstorable(request.path):
            abort(404)
        if any(map(is_unstorable, _texts())):
            raise Unstorable(gettext("This has characters that can’t be stored."))


def _texts() -> Iterator[str]:
    for name, value in request.args.items(multi=True):
        yield name
        yield value
    if request.content_type is None:  # then there is no form
        return
    for name, value in request.form.items(multi=True):
        yield name
        yield value
    for name, file in request.files.items(multi=True):
        yield name
        yield file.filename or ""


def is_unstorable(text: str) -> bool:
    """Does text hold a NUL or half a surrogate pair?"""
    return UNSTORABLE.search(text) is not None
