"""The API under /v1: who asks, for what, and how the answer goes back.

A request passes authentication, the version, faults, the table of parameters and its idempotency key
before the handler of its operation runs, in one transaction that ends before the answer is sent.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Response, request
from werkzeug.http import http_date

from app.simulator import (
    accounts,
    billing_portal,
    checkout_sessions,
    customers,
    encoding,
    events,
    idempotency,
    ids,
    parameters,
    payment_methods,
    payment_pages,
    setup_intents,
    shop,
    versions,
    webhook_endpoints,
)
from app.simulator.errors import StripeError, unrecognized_url
from app.simulator.expand import expanded
from app.simulator.fault_settings import Fault
from app.simulator.work import OPERATIONS, PINNED_VERSION, Call, Handler

if TYPE_CHECKING:
    from app.simulator.simulator import Simulator


# Importing them is what registers their operations.
RESOURCES = (
    accounts,
    billing_portal,
    checkout_sessions,
    customers,
    events,
    payment_methods,
    payment_pages,
    setup_intents,
    shop,
    webhook_endpoints,
)


def blueprint(simulator: "Simulator") -> Blueprint:
    """Routes for every operation, and Stripe's answer for all other paths."""
    api = Blueprint("api", __name__)
    for name, handler in OPERATIONS.items():
        method, _, path = name.partition(" ")
        rule = re.sub(r"{(\w+)}", r"<\1>", path)
        view = _view(simulator, name, handler)
        api.add_url_rule(rule, endpoint=name.replace(".", "-"), view_func=view, methods=[method])

    @api.route("/v1/", defaults={"rest": ""}, methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
    @api.route("/v1/<path:rest>", methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
    def unknown(rest: str) -> Response:  # noqa: ARG001 - request.path has it
        return unknown_path(simulator)

    return api


def unknown_path(simulator: "Simulator") -> Response:
    """Stripe's answer for a path that it does not serve: JSON, wherever that is."""
    own, now = ids.request(), simulator.call(request.path, {}).now
    return _answered(
        _failure(unrecognized_url(request.method, request.path), own, now), own, PINNED_VERSION, now
    )


def _view(simulator: "Simulator", name: str, handler: Handler) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        own = ids.request()
        version = request.headers.get("Stripe-Version", PINNED_VERSION)
        simulator.tick()
        call = simulator.call(request.path, path)
        simulator.pause(simulator.fault_settings.latency)
        try:
            outage = simulator.faults.outage()
            _refuse(outage)
            _break(outage, "timeout", "reset")
            _understand(call, name, own)
            version = call.version
            _slow_down(simulator, call)
            answer = _run(simulator, name, handler, call)
        except StripeError as error:
            answer = _failure(error, own, call.now)
        except Garbled:
            return Response("<title>Some proxy</title>Something went wrong.", mimetype="text/html")
        return _answered(answer, own, version, call.now)

    return view


def _understand(call: Call, name: str, own: str) -> None:
    """Fill in who asks for what; raises StripeError for whoever may not, and what makes no sense."""
    key = _key()
    account, permissions = accounts.authenticate(call.store, key)
    accounts.permit(name, key, account, permissions)
    call.account = account
    call.request = {"id": own, "idempotency_key": request.headers.get("Idempotency-Key")}
    call.version = request.headers.get("Stripe-Version", call.store.accounts_version(account))
    if call.version not in parameters.words("api_version"):
        raise StripeError(f"Invalid Stripe API version: {call.version}")
    if request.method == "POST" and request.mimetype not in {"", "application/x-www-form-urlencoded"}:
        raise StripeError(
            "Invalid request (check that your POST content type is application/x-www-form-urlencoded). "
            "If you have any questions, we can help at https://support.stripe.com/.",
        )
    text = request.get_data() if request.method == "POST" else request.query_string
    given = encoding.decode(text.decode("utf-8", errors="replace"))
    call.params = versions.checked(name, call.version, given)


def _run(simulator: "Simulator", name: str, handler: Handler, call: Call) -> idempotency.Answer:
    """The answer: a stored one, or the handler's; with whatever fault waits for this call."""
    method, _, _ = name.partition(" ")
    fault = simulator.faults.take(method, call.url)
    _refuse(fault)
    _break(fault, "timeout", "reset")
    key = request.headers.get("Idempotency-Key") if method == "POST" else None
    if key is None:
        answer = _handled(simulator, handler, call, fault)
    else:
        with simulator.running.alone(idempotency.place(call, key), key):
            stored = idempotency.recall(call, key)
            answer = stored or _handled(simulator, handler, call, fault)
    _break(fault, "timeout_after", "reset_after")
    if fault and fault.kind == "garbled_after":
        raise Garbled
    return answer


def _handled(simulator: "Simulator", handler: Handler, call: Call, fault: Fault | None) -> idempotency.Answer:
    if fault and fault.kind == "slow":
        simulator.pause(fault.seconds)
    own = call.request["id"]
    key = call.request["idempotency_key"]
    with call.store.transaction():
        try:
            _fail(fault, "500")
            body = handler(call)
            _fail(fault, "500_after")
            body = expanded(call.store, body, call.params.get("expand", []))
            answer = idempotency.Answer(200, versions.rendered(body, call.version), own)
        except StripeError as error:
            if not error.happened:
                raise
            answer = _failure(error, own, call.now)
        if key is not None and request.method == "POST":
            idempotency.record(call, key, answer)
    return answer


def _fail(fault: Fault | None, kind: str) -> None:
    if fault and fault.kind == kind:
        raise StripeError("An unknown error occurred.", status=500, kind="api_error", happened=True)


def _key() -> str:
    """The API key of a Bearer header, or the user name of a Basic one."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return value.strip()


def _refuse(fault: Fault | None) -> None:
    """Faults with an answer of their own, from before the request got anywhere."""
    match fault.kind if fault else None:
        case "429":
            raise _too_many(fault.seconds if fault else 0)
        case "lock":
            raise StripeError(
                "This object cannot be accessed right now because another API request or Stripe process "
                "is currently accessing it. If you see this error intermittently, retry the request. If "
                "you see this error frequently and are making multiple concurrent requests to a single "
                "object, make your requests serially or at a lower rate.",
                status=429,
                code="lock_timeout",
            )
        case "503":
            message = "Stripe is unavailable at the moment. Please try again later."
            raise StripeError(message, status=503, kind="api_error")


def _slow_down(simulator: "Simulator", call: Call) -> None:
    """Raise StripeError (429) for a call that is more than the account may make in a second."""
    if not simulator.pace.allows(call.account, call.clock.precise(), simulator.fault_settings.rate_limit):
        raise _too_many(1)


def _too_many(seconds: float) -> StripeError:
    return StripeError(
        "Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.",
        status=429,
        code="rate_limit",
        retry_after=seconds,
    )


def _break(fault: Fault | None, timeout: str, reset: str) -> None:
    """Faults without an answer; how they look is the transport's business."""
    if fault and fault.kind == timeout:
        raise NoAnswer(fault.seconds)
    if fault and fault.kind == reset:
        raise ConnectionResetError("The simulator cut the connection, as it was told to.")


class Garbled(Exception):
    """It is done, but something on the way back answers in Stripe's place."""


class NoAnswer(TimeoutError):
    """The caller is to wait in vain, for so many seconds when it waits at a socket."""

    def __init__(self, seconds: float) -> None:
        super().__init__("The simulator does not answer, as it was told to.")
        self.seconds = seconds


def _failure(error: StripeError, own: str, now: int) -> idempotency.Answer:
    body = dict(error.error)
    if error.status in {400, 402, 403, 404, 409}:
        body["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{own}?t={now}"
    return idempotency.Answer(error.status, {"error": body}, own, retry_after=error.retry_after)


def _answered(answer: idempotency.Answer, own: str, version: str, now: int) -> Response:
    response = Response(json.dumps(answer.body, indent=2), status=answer.status, mimetype="application/json")
    response.headers["Date"] = http_date(now)
    response.headers["Request-Id"] = own
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
