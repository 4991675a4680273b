"""The controls: a page for people, and a route for programs."""

from collections.abc import Mapping

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator.control import guard
from app.simulator.control.actions import Form, perform
from app.simulator.engine import Engine
from app.simulator.pages.responses import secure_page
from app.simulator.protocol.faults.fault_settings import FAULTS, OUTAGES, WEBHOOK_TIMES
from app.simulator.protocol.keys import mask
from app.simulator.store import JSON, ids

_MAX_ROWS = 15  # newest rows of each kind
_PRIVATE = {"keys", "notes", "idempotency", "settings"}  # collections that are never shown


def blueprint(engine: Engine) -> Blueprint:
    """Make GET and POST /_control, GET /_control.json, and /_control/<name>.json for each collection."""
    control = Blueprint("control", __name__)

    @control.before_request
    def refuse() -> ResponseReturnValue | None:
        reason = guard.refusal()
        return (reason, 403, {"Content-Type": "text/plain; charset=utf-8"}) if reason else None

    @control.get("/_control")
    def page() -> ResponseReturnValue:
        return _page(engine)

    @control.get("/_control.json")
    def state() -> ResponseReturnValue:
        return jsonify(_state(engine))

    @control.get("/_control/<name>.json")
    def collection(name: str) -> ResponseReturnValue:
        if name in _PRIVATE or name not in engine.store.collections:
            abort(404)
        return jsonify(engine.store.collections[name].snapshot())

    @control.post("/_control")
    def act() -> ResponseReturnValue:
        form: Form = request.get_json() if request.is_json else request.form
        try:
            if not isinstance(form, Mapping):
                raise ValueError("The body is an object.")  # noqa: TRY301, TRY004 (as all impossible actions)
            outcome = perform(engine, form)
        except (ValueError, OverflowError, KeyError) as error:
            problem = f"There is no {error}." if isinstance(error, KeyError) else str(error)
            if request.is_json:
                return jsonify({"error": problem}), 400
            return _page(engine, problem)
        if request.is_json:
            return jsonify(_state(engine) | {"outcome": outcome})
        return redirect(url_for("control.page"), 303)

    return control


def _state(engine: Engine) -> JSON:
    store = engine.store
    return {
        "now": engine.clock.now(),
        "ahead": engine.clock.ahead,
        "fault_settings": engine.fault_settings.state(),
        "faults": engine.faults.state(),
        "keys": [
            key | {"id": mask(key["id"]), "account": store.keys.owner(key["id"])}
            for key in store.keys.snapshot()
        ],
        "endpoints": store.webhook_endpoints.snapshot(),
        "counts": {name: len(collection) for name, collection in store.collections.items()},
        "waiting": store.deliveries.snapshot()[-_MAX_ROWS:],
        "tries": store.tries.snapshot()[-_MAX_ROWS:][::-1],
        "events": [
            {name: event[name] for name in ("id", "type", "created", "pending_webhooks")}
            for event in store.events.snapshot()[-_MAX_ROWS:][::-1]
        ],
    }


def _page(engine: Engine, problem: str | None = None) -> Response:
    store = engine.store
    sessions = [
        {
            "id": session["id"],
            "status": session["status"],
            "customer": session["customer"],
            "intent": store.setup_intents[session["setup_intent"]]["status"],
            "deposits": engine.microdeposits_of(session["id"]) is not None,
        }
        for session in store.checkout_sessions.snapshot()[-_MAX_ROWS:][::-1]
        if session["mode"] == "setup"
    ]
    people = [customer for customer in store.customers.snapshot() if not customer.get("deleted")]
    methods = [method for method in store.payment_methods.snapshot() if method["customer"]]
    defaults = {person["invoice_settings"]["default_payment_method"] for person in people}
    page = render_template(
        "control.html",
        state=_state(engine),
        sessions=sessions,
        customers=people[-_MAX_ROWS:][::-1],
        methods=methods[-_MAX_ROWS:][::-1],
        defaults=defaults,
        mandates=store.mandates.snapshot()[-_MAX_ROWS:][::-1],
        fault_kinds=FAULTS,
        outages=OUTAGES,
        webhook_times=WEBHOOK_TIMES,
        new_key=f"sk_test_{ids.random_text(24)}",
        problem=problem,
        url=engine.public_url,
    )
    response = secure_page(page, None, 422 if problem else 200)
    response.headers["Referrer-Policy"] = "same-origin"  # otherwise its forms send `Origin: null`
    return response
