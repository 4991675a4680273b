"""Answer what gunicorn's parser cannot read.

The application never sees such a request, but it words the answer.
"""

from http import HTTPStatus

from flask import Flask, g
from gunicorn.http import errors

from app.core.db import new_id
from app.web import problems, wording

STATUSES: dict[type[Exception], int] = {
    errors.LimitRequestLine: 414,
    errors.LimitRequestHeaders: 431,
    errors.ExpectationFailed: 417,
    errors.UnsupportedTransferCoding: 501,
}
OUR_FAULTS = (
    errors.ConfigurationProblem,
    errors.InvalidResponseHeader,  # type: ignore[attr-defined]  # newer than its types
    errors.InvalidResponseHeaderName,  # type: ignore[attr-defined]
)


def status_of(error: BaseException) -> int:
    """Return the status for what gunicorn raised: 500, unless the client made the mistake."""
    if isinstance(error, OUR_FAULTS) or not isinstance(error, errors.ParseException):
        return 500
    return STATUSES.get(type(error), 400)


def refuse(app: Flask, request: bytes, status: int) -> bytes:
    """Return a whole HTTP answer to a request: a page, or a problem document under /api/."""
    path = request.split(b" ", 2)[1:2]
    is_for_program = bool(path) and path[0].startswith(b"/api/")
    with app.test_request_context("/api/" if is_for_program else "/"):
        g.request_id = new_id()
        phrase, words = HTTPStatus(status).phrase, wording.of_status(status)
        response = app.process_response(problems.answer(status, phrase, words.happened))
        response.headers["Connection"] = "close"
        head = f"HTTP/1.1 {status} {phrase}\r\n{response.headers}"  # ends with an empty line
        return head.encode("latin-1") + response.get_data()
