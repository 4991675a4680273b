"""Answer errors: with a problem document for programs, and a page for people."""

import json
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

import structlog
from flask import Flask, Response, g, render_template, request
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.exceptions import HTTPException

from app.core import db
from app.core.errors import AppError, Forbidden
from app.web import wording
from app.web.languages import gettext as _
from app.web.limits import retry_url

log = structlog.get_logger("gangway.web")

DETAILS = {
    400: "validation error: the request could not be read",
    404: "not found error: there is nothing at this address",
    405: "this address takes other methods; the header Allow names them",
    413: "request entity too large error: the body is larger than this address takes",
    429: "too many requests in a short time; nothing was changed, try again later",
}

PREFIXES = {  # OpenMeter's
    400: "validation error: ",
    401: "unauthorized error: ",
    403: "forbidden error: ",
    404: "not found error: ",
    409: "conflict error: ",
    412: "precondition failed error: ",
    413: "request entity too large error: ",
}


def init_app(app: Flask) -> None:
    """Answer every error in the form of its reader. Show only the request id of an unexpected one."""
    app.register_error_handler(AppError, _app_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(OperationalError, _database_error)
    app.register_error_handler(InterfaceError, _database_error)
    app.register_error_handler(PoolTimeout, _database_error)
    app.register_error_handler(Exception, _unexpected_error)


def _app_error(error: AppError) -> Response:
    db.session().rollback()
    if isinstance(error, Forbidden):
        log.warning("refused", method=request.method, path=request.path, reason=error.detail)
    return answer(error.status, error.title, error.detail, error.fields, error.advice)


def _http_error(error: HTTPException) -> Response:
    assert error.code is not None  # Flask answers routing's redirects and exceptions without a code
    detail = DETAILS.get(error.code) if _is_for_program() else wording.of_status(error.code).happened
    response = answer(error.code, error.name, detail or error.description or error.name)
    for name, value in error.get_headers():  # Allow, Retry-After and the like
        if name.lower() not in {"content-type", "content-length"}:
            response.headers[name] = value
    return response


def _database_error(error: Exception) -> Response:
    """Answer while the database is away, full or locked. We don't know whether a running commit arrived."""
    log.error("database_trouble", error=str(getattr(error, "orig", error)))
    with suppress(SQLAlchemyError):
        db.session().rollback()
    response = answer(
        503,
        _("We can’t save anything right now"),
        _("Our database isn’t responding. Try again in a moment. It’s safe to send the same form again."),
    )
    response.headers["Retry-After"] = "5"
    return response


def _unexpected_error(error: Exception) -> Response:
    log.error("unhandled", exc_info=error)
    db.session().rollback()
    return answer(
        500,
        _("Something went wrong"),
        _("The problem is on our side, and we’ve recorded it. Try again in a moment."),
    )


def answer(
    status: int,
    title: str,
    detail: str,
    fields: Mapping[str, str] | None = None,
    advice: str | None = None,
) -> Response:
    """Make a problem document (RFC 9457) under /api/, a page elsewhere. `fields` maps pointers to texts.

    `advice` is for people. Without it they read the usual advice for the status.
    """
    if _is_for_program():
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": str(prefixed(status, detail)),  # it may be one that is translated when it is read
            "instance": instance(),
        }
        if fields:
            wrong = [
                {"code": "invalid", "message": str(message), "field": name}
                for name, message in fields.items()
            ]
            body["extensions"] = {"validationErrors": wrong}
        response = Response(json.dumps(body), status)
        # Without a charset: OpenMeter's clients compare the whole header.
        response.headers["Content-Type"] = "application/problem+json"
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response
    words = wording.of_status(status)
    values: dict[str, Any] = {
        "status": status,
        "title": words.heading if wording.is_phrase(title) else title,
        "detail": plain(status, str(detail)),
        "advice": advice or words.advice,
        "own_advice": advice,
        "request_id": g.get("request_id", ""),
        "retry_url": retry_url() if status == 429 else None,
    }
    frame = "console/error.html" if is_for_operator() else "error.html"
    return Response(render_template(frame, **values), status, mimetype="text/html")


def instance() -> str:
    """Return the id of the request as a problem document names it."""
    return f"urn:request:{g.get('request_id', '')}"


def is_for_operator() -> bool:
    """Is the page at this address one of the operator console?"""
    return request.path == "/operator" or request.path.startswith("/operator/")


def _is_for_program() -> bool:
    return request.path.startswith("/api/")


def plain(status: int, detail: str) -> str:
    """Return a detail for people: a sentence without the prefix that programs read."""
    bare = detail.removeprefix(PREFIXES.get(status, ""))
    return bare[:1].upper() + bare[1:]


def prefixed(status: int, detail: str) -> str:
    """Return a detail for programs: with the prefix of its kind of error, as OpenMeter writes it."""
    prefix = PREFIXES.get(status, "")
    return detail if detail.startswith(prefix) else prefix + detail
