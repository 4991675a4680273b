"""What stands before every JSON operation: the token, and the answer of the first time."""

import json
from collections.abc import Callable

from flask import Response, g, request

from app import db, idempotency, operators
from app.errors import AppError
from app.web import problems
from app.web.api import Operation


class Gate:
    """Admits callers by their token, and runs a POST once for each Idempotency-Key."""

    def admit(self, operation: Operation) -> None:
        """Raise Unauthorized or Forbidden; else know the caller from here on."""
        header = request.headers.get("Authorization", "")
        token = operators.admit(db.session(), header, scope=operation.scope)
        g.token_id, g.actor = token.id, f"token:{token.id}"

    def once(self, run: Callable[[], Response]) -> Response:
        """Run it, or answer as the first time.

        What may go well the next time, and what failed by our own fault, is no answer: the key is freed.
        """
        key = request.headers.get("Idempotency-Key")
        if key is None:
            return run()
        session, path = db.session(), request.full_path
        seen = idempotency.fingerprint(request.method, path, request.get_data())
        first = idempotency.begin(session, g.token_id, key, fingerprint=seen)
        if first is not None:
            return _again(first)
        try:
            response = run()
        except AppError as error:
            if error.is_passing:
                idempotency.forget(session, g.token_id, key)
                raise
            session.rollback()
            response = problems.answer(error.status, error.title, error.detail, error.fields)
        except Exception:
            idempotency.forget(session, g.token_id, key)
            raise
        idempotency.finish(
            session, g.token_id, key, status=response.status_code, body=response.get_data(as_text=True)
        )
        return response


def _again(first: idempotency.Request) -> Response:
    status, body = first.status or 200, first.body
    if status >= 400:  # a problem's instance is the request that it answers, in the log too
        body = json.dumps(json.loads(body or "{}") | {"instance": problems.instance()})
    response = Response(body, status)
    response.headers["Content-Type"] = "application/problem+json" if status >= 400 else "application/json"
    response.headers["Idempotency-Replayed"] = "true"
    return response
