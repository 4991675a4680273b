"""How an answer is sent: its JSON and Stripe's headers."""

import json
import math

from flask import Response, request
from werkzeug.http import http_date

from app.simulator.protocol.errors import StripeError
from app.simulator.protocol.idempotency import Answer


def failure(error: StripeError, request_id: str, now: int) -> Answer:
    """Return the answer that reports an error."""
    body = dict(error.error)
    if error.status in {400, 402, 403, 404, 409}:
        body["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}?t={now}"
    return Answer(error.status, {"error": body}, request_id, retry_after=error.retry_after)


def respond(answer: Answer, request_id: str, version: str, now: int) -> Response:
    """Make the response of an answer."""
    response = Response(json.dumps(answer.body, indent=2), status=answer.status, mimetype="application/json")
    response.headers["Date"] = http_date(now)
    response.headers["Request-Id"] = request_id
    response.headers["Stripe-Version"] = version
    response.headers["Cache-Control"] = "no-cache, no-store"
    key = request.headers.get("Idempotency-Key")
    if key is not None and request.method == "POST":
        response.headers["Idempotency-Key"] = key
        response.headers["Original-Request"] = answer.request
    if answer.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    if answer.status == 409 or answer.status >= 500:
        response.headers["Stripe-Should-Retry"] = "true"
    if answer.retry_after:
        response.headers["Retry-After"] = str(math.ceil(answer.retry_after))
    return response
