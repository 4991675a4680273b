"""The points at which a process can die: before and after each call to Stripe, each commit, each answer.

The application runs as it is. These functions watch it from outside, at the HTTP adapter, at SQLAlchemy's
events and around the WSGI application, and tell a callback the name of each point that is reached.
"""

import re
import traceback
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from requests.adapters import HTTPAdapter
from sqlalchemy import orm

from app.core import db

Reached = Callable[[str], None]
_IDS = re.compile(r"(?<=/)(cus|cs|pm|seti|we|evt|mandate)_\w+|(?<=/)01[0-9A-Z]{24}|\?.*")


def watch(app: Flask, reached: Reached) -> None:
    """Tell `reached` the label of every point from now on, such as "after POST /v1/customers"."""
    _watch_calls(reached)
    with app.app_context():
        _watch_commits(db.engine(), reached)
    app.wsgi_app = _watch_answers(app.wsgi_app, reached)  # type: ignore[method-assign]


def _watch_calls(reached: Reached) -> None:
    send = HTTPAdapter.send

    def watched_send(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        label = f"{request.method} {_IDS.sub('…', request.path_url)}"
        reached(f"before {label}")
        answer = send(adapter, request, *args, **kwargs)
        reached(f"after {label}")
        return answer

    HTTPAdapter.send = watched_send  # type: ignore[method-assign,assignment]


def _watch_commits(engine: sa.Engine, reached: Reached) -> None:
    sa.event.listen(engine, "commit", lambda _connection: reached(f"before commit in {_caller()}"))
    sa.event.listen(orm.Session, "after_commit", lambda _session: reached(f"after commit in {_caller()}"))


def _caller() -> str:
    """The innermost function of the application that is running, apart from its database module."""
    for frame in reversed(traceback.extract_stack()):
        place = Path(frame.filename)
        if "app" in place.parts and "site-packages" not in place.parts and place.name != "db.py":
            return f"{place.parent.name}.{place.stem}.{frame.name}"
    return "no function of the application"


def _watch_answers(wsgi: Callable[..., Iterable[bytes]], reached: Reached) -> Any:
    def watched(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        label = f"{environ['REQUEST_METHOD']} {_IDS.sub('…', environ['PATH_INFO'])}"
        reached(f"before {label} is handled")
        answer = wsgi(environ, start_response)
        try:
            chunks = list(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        reached(f"before {label} is answered")
        yield from chunks
        reached(f"after {label} was answered")

    return watched
