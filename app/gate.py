"""What stands before every JSON operation: the token, and the answer of the first time."""

import json
from collections.abc import Callable

from flask import Response, g, request

from app import idempotency, operators
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, Unauthorized
from app.web import limits, problems
from app.web.api import Operation
from app.web.visitors import visitor


class Gate:
    """Admits callers by their token, commits what they did, and runs a POST once for each Idempotency-Key."""

    def admit(self, operation: Operation) -> None:
        """Raise Unauthorized or Forbidden; else know the caller from here on."""
        header = request.headers.get("Authorization", "")
        try:
            token = operators.admit(db.session(), header, scope=operation.scope)
        except Unauthorized:
            limits.current().spend(settings().rate_limit_bad_token, "bad-token", visitor())
            raise
        g.spent_by_token = limits.current().spend(settings().rate_limit_api, "token", token.id)
        g.token_id, g.actor = token.id, f"token:{token.id}"

    def run(self, operation: Operation, run: Callable[[], Response]) -> Response:
        """Run an operation and commit. A POST with an Idempotency-Key is run once, and answered as then.

        Its answer is kept in the commit of what it did: one is never there without the other. What may go
        well the next time, and what failed by our own fault, is no answer: the key is freed.
        """
        session, key = db.session(), request.headers.get("Idempotency-Key")
        if key is None or operation.method != "POST":
            response = run()
            session.commit()
            return response
        seen = idempotency.fingerprint(request.method, request.full_path, request.get_data())
        known = idempotency.begin(session, g.token_id, key, fingerprint=seen)
        if known.status is not None:
            return _again(known)
        try:
            response = _outcome(run)
            idempotency.finish(
                session, known, status=response.status_code, body=response.get_data(as_text=True)
            )
        except Exception:
            idempotency.forget(session, known)
            raise
        return response


def _outcome(run: Callable[[], Response]) -> Response:
    """What an operation answers, be it a refusal. Raises what may go well the next time."""
    try:
        return run()
    except AppError as error:
        if error.is_passing:
            raise
        db.session().rollback()
        return problems.answer(error.status, error.title, error.detail, error.fields)


def _again(first: idempotency.Request) -> Response:
    status, body = first.status or 200, first.body
    if status >= 400:  # a problem's instance is the request that it answers, in the log too
        body = json.dumps(json.loads(body or "{}") | {"instance": problems.instance()})
    response = Response(body, status)
    response.headers["Content-Type"] = "application/problem+json" if status >= 400 else "application/json"
    response.headers["Idempotency-Replayed"] = "true"
    return response
