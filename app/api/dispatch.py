"""Run one JSON operation: check the token, parse the request, run the view once and commit."""

import json
from collections.abc import Callable
from typing import Any

from flask import Response, g, request
from pydantic import TypeAdapter

from app import operators
from app.api import idempotency, parsing
from app.api.models import IdempotentRequest
from app.api.operation import Operation
from app.api.wire import WireModel
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, Unauthorized
from app.web import limits, problems
from app.web.addresses.client_address import client_address

Answer = WireModel | list[Any] | None


def dispatch(
    operation: Operation,
    view: Callable[..., Answer],
    values: dict[str, str],
    body_type: TypeAdapter[Any] | None,
) -> Response:
    """Answer one request. `values` are those of the path. Commits.

    Raises Unauthorized or Forbidden when the token may not call the operation, and Invalid for bad input.
    """
    _check_token(operation)
    parsing.refuse_unstorable(values, "path")
    parsing.refuse_unstorable({name: "".join(texts) for name, texts in request.args.lists()}, "query")
    arguments: dict[str, Any] = dict(values)
    if operation.query is not None:
        arguments["query"] = parsing.parse_query(operation.query)
    if body_type is not None:
        arguments["body"] = parsing.parse_body(body_type)

    def run() -> Response:
        return _json_response(view(**arguments), operation.status)

    key = request.headers.get("Idempotency-Key")
    if key is not None and operation.method == "POST":
        return _run_once(key, run)
    response = run()
    db.session().commit()
    return response


def _check_token(operation: Operation) -> None:
    """Raise Unauthorized or Forbidden, or note who calls in `g`."""
    header = request.headers.get("Authorization", "")
    try:
        token = operators.admit(db.session(), header, scope=operation.scope)
    except Unauthorized:
        limits.current().spend(settings().rate_limit_bad_token, "bad-token", client_address())
        raise
    g.spent_by_token = limits.current().spend(settings().rate_limit_api, "token", token.id)
    g.token_id, g.actor = token.id, f"token:{token.id}"


def _run_once(key: str, run: Callable[[], Response]) -> Response:
    """Run a POST once for its Idempotency-Key, and repeat the first response to the later requests.

    One commit stores the response together with the changes. An error that a retry may avoid, or our own
    fault, is not stored: it frees the key.
    """
    session = db.session()
    seen = idempotency.fingerprint(request.method, request.full_path, request.get_data())
    known = idempotency.begin(session, g.token_id, key, fingerprint=seen)
    if known.status is not None:
        return _repeat(known)
    try:
        response = _outcome(run)
        idempotency.finish(session, known, status=response.status_code, body=response.get_data(as_text=True))
    except Exception:
        idempotency.forget(session, known)
        raise
    return response


def _outcome(run: Callable[[], Response]) -> Response:
    """Return the response or the problem document. Raise an error that a retry may avoid."""
    try:
        return run()
    except AppError as error:
        if error.is_passing:
            raise
        db.session().rollback()
        return problems.answer(error.status, error.title, error.detail, error.fields)


def _repeat(first: IdempotentRequest) -> Response:
    status, body = first.status or 200, first.body
    if status >= 400:  # the problem names the request that it answers now, and so does the log
        body = json.dumps(json.loads(body or "{}") | {"instance": problems.instance()})
    response = Response(body, status)
    response.headers["Content-Type"] = "application/problem+json" if status >= 400 else "application/json"
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _json_response(answer: Answer, status: int) -> Response:
    if answer is None:
        response = Response(status=status)
        del response.headers["Content-Type"]  # there is no body
        return response
    body = answer.answer() if isinstance(answer, WireModel) else [item.answer() for item in answer]
    return Response(json.dumps(body), status, mimetype="application/json")
