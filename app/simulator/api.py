"""The API under /v1: one route for each operation.

A request passes the outage check, authentication, the table of parameters, the rate limit, its fault and
its idempotency key. Then the operation's handler runs in one transaction, which ends before the answer.
"""

import re
from collections.abc import Callable

from flask import Blueprint, Response, request

from app.simulator.engine import Engine
from app.simulator.protocol import idempotency, responses
from app.simulator.protocol.call import OPERATIONS, Call, Handler
from app.simulator.protocol.errors import StripeError, rate_limited, unrecognized_url
from app.simulator.protocol.expand import expand
from app.simulator.protocol.faults import next_calls as faults
from app.simulator.protocol.faults.next_calls import Fault, Garbled
from app.simulator.protocol.idempotency import Answer
from app.simulator.protocol.requests import versions
from app.simulator.protocol.requests.reading import read_request
from app.simulator.protocol.work import PINNED_VERSION
from app.simulator.resources import (
    accounts,
    billing_portal,
    customers,
    events,
    payment_methods,
    tax_ids,
    webhook_endpoints,
)
from app.simulator.resources.checkout import payment_pages, products, sessions
from app.simulator.resources.setup import attempts, intents, mandates
from app.simulator.store import ids

# Importing these modules registers their operations.
RESOURCES = (
    accounts,
    attempts,
    billing_portal,
    customers,
    events,
    intents,
    mandates,
    payment_methods,
    payment_pages,
    products,
    sessions,
    tax_ids,
    webhook_endpoints,
)


def blueprint(engine: Engine) -> Blueprint:
    """Make the routes of all operations, and Stripe's 404 for all other paths."""
    api = Blueprint("api", __name__)
    for name, handler in OPERATIONS.items():
        method, _, path = name.partition(" ")
        rule = re.sub(r"{(\w+)}", r"<\1>", path)
        view = _view(engine, name, handler)
        api.add_url_rule(rule, endpoint=name.replace(".", "-"), view_func=view, methods=[method])

    @api.route(
        "/v1/", defaults={"rest": ""}, strict_slashes=False, methods=["GET", "POST", "DELETE", "PUT", "PATCH"]
    )
    @api.route("/v1/<path:rest>", methods=["GET", "POST", "DELETE", "PUT", "PATCH"])
    def unknown(rest: str) -> Response:  # noqa: ARG001 - request.path has it
        return unknown_path(engine)

    return api


def unknown_path(engine: Engine) -> Response:
    """Return Stripe's answer for an unknown path. It is JSON, also outside /v1."""
    request_id, now = ids.request(), engine.call(request.path, {}).now
    answer = responses.failure(unrecognized_url(request.method, request.path), request_id, now)
    return responses.respond(answer, request_id, PINNED_VERSION, now)


def _view(engine: Engine, name: str, handler: Handler) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        request_id = ids.request()
        version = request.headers.get("Stripe-Version", PINNED_VERSION)
        engine.tick()
        call = engine.call(request.path, path)
        engine.pause(engine.fault_settings.latency)
        try:
            outage = engine.faults.outage()
            faults.refuse(outage)
            faults.disconnect(outage, "timeout", "reset")
            read_request(call, name, request_id)
            version = call.version
            _check_rate(engine, call)
            answer = _answer(engine, name, handler, call)
        except StripeError as error:
            answer = responses.failure(error, request_id, call.now)
        except Garbled:
            return Response("<title>Some proxy</title>Something went wrong.", mimetype="text/html")
        return responses.respond(answer, request_id, version, call.now)

    return view


def _check_rate(engine: Engine, call: Call) -> None:
    """Raise StripeError (429) when the account exceeds its rate limit."""
    if not engine.rate_limiter.allows(call.account, call.clock.precise(), engine.fault_settings.rate_limit):
        raise rate_limited(1)


def _answer(engine: Engine, name: str, handler: Handler, call: Call) -> Answer:
    """Return the stored answer for the idempotency key, or run the handler, with the call's fault."""
    method, _, _ = name.partition(" ")
    fault = engine.faults.take(method, call.url)
    faults.refuse(fault)
    faults.disconnect(fault, "timeout", "reset")
    key = request.headers.get("Idempotency-Key") if method == "POST" else None
    if key is None:
        answer = _run(engine, handler, call, fault)
    else:
        with engine.requests_in_progress.hold(idempotency.storage_key(call, key), key):
            answer = idempotency.find_answer(call, key) or _run(engine, handler, call, fault)
    faults.disconnect(fault, "timeout_after", "reset_after")
    if fault and fault.kind == "garbled_after":
        raise Garbled
    return answer


def _run(engine: Engine, handler: Handler, call: Call, fault: Fault | None) -> Answer:
    if fault and fault.kind == "slow":
        engine.pause(fault.seconds)
    request_id = call.request["id"]
    key = call.request["idempotency_key"]
    with call.store.transaction():
        try:
            faults.fail(fault, "500")
            body = handler(call)
            faults.fail(fault, "500_after")
            body = expand(call.store, body, call.params.get("expand", []))
            answer = Answer(200, versions.render(body, call.version), request_id)
        except StripeError as error:
            if not error.happened:
                raise
            answer = responses.failure(error, request_id, call.now)
        if key is not None and request.method == "POST":
            idempotency.store_answer(call, key, answer)
    return answer
