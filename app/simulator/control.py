"""The controls: a page for people, and a route for programs."""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator import accounts, guard, ids
from app.simulator.cards import CARDS
from app.simulator.deeds import Form, perform
from app.simulator.fault_settings import FAULTS, OUTAGES, WEBHOOK_TIMES
from app.simulator.pages import secured
from app.simulator.shapes import JSON

if TYPE_CHECKING:
    from app.simulator.simulator import Simulator

_SHOWN = 15  # of the latest of each kind
_SECRET = {"keys", "notes", "idempotency", "settings"}  # collections that nobody is shown


def blueprint(simulator: "Simulator") -> Blueprint:
    """GET and POST /_control, GET /_control.json, and each collection as /_control/<name>.json."""
    control = Blueprint("control", __name__)

    @control.before_request
    def refuse() -> ResponseReturnValue | None:
        reason = guard.refusal()
        return (reason, 403, {"Content-Type": "text/plain; charset=utf-8"}) if reason else None

    @control.get("/_control")
    def page() -> ResponseReturnValue:
        return _page(simulator)

    @control.get("/_control.json")
    def state() -> ResponseReturnValue:
        return jsonify(_state(simulator))

    @control.get("/_control/<name>.json")
    def collection(name: str) -> ResponseReturnValue:
        if name in _SECRET or name not in simulator.store.collections:
            abort(404)
        return jsonify(simulator.store.collections[name].snapshot())

    @control.post("/_control")
    def act() -> ResponseReturnValue:
        form: Form = request.get_json() if request.is_json else request.form
        try:
            outcome = perform(simulator, form)
        except (ValueError, KeyError) as error:
            problem = str(error) if isinstance(error, ValueError) else f"There is no {error}."
            if request.is_json:
                return jsonify({"error": problem}), 400
            return _page(simulator, problem)
        if request.is_json:
            return jsonify(_state(simulator) | {"outcome": outcome})
        return redirect(url_for("control.page"), 303)

    return control


def _state(simulator: "Simulator") -> JSON:
    store = simulator.store
    return {
        "now": simulator.clock.now(),
        "ahead": simulator.clock.ahead,
        "fault_settings": simulator.fault_settings.state(),
        "faults": simulator.faults.state(),
        "keys": [
            key | {"id": accounts.masked(key["id"]), "account": store.keys.owner(key["id"])}
            for key in store.keys.snapshot()
        ],
        "endpoints": store.webhook_endpoints.snapshot(),
        "counts": {name: len(collection) for name, collection in store.collections.items()},
        "waiting": store.deliveries.snapshot()[-_SHOWN:],
        "tries": store.tries.snapshot()[-_SHOWN:][::-1],
        "events": [
            {name: event[name] for name in ("id", "type", "created", "pending_webhooks")}
            for event in store.events.snapshot()[-_SHOWN:][::-1]
        ],
    }


def _page(simulator: "Simulator", problem: str | None = None) -> Response:
    store = simulator.store
    sessions = [
        {
            "id": session["id"],
            "status": session["status"],
            "customer": session["customer"],
            "intent": store.setup_intents[session["setup_intent"]]["status"],
            "deposits": simulator.microdeposits_of(session["id"]) is not None,
        }
        for session in store.checkout_sessions.snapshot()[-_SHOWN:][::-1]
        if session["mode"] == "setup"
    ]
    people = [customer for customer in store.customers.snapshot() if not customer.get("deleted")]
    methods = [method for method in store.payment_methods.snapshot() if method["customer"]]
    defaults = {person["invoice_settings"]["default_payment_method"] for person in people}
    page = render_template(
        "simulator/control.html",
        state=_state(simulator),
        sessions=sessions,
        customers=people[-_SHOWN:][::-1],
        methods=methods[-_SHOWN:][::-1],
        defaults=defaults,
        mandates=store.mandates.snapshot()[-_SHOWN:][::-1],
        cards=[card for card in CARDS.values() if card.decline is None and not card.challenge],
        fault_kinds=FAULTS,
        outages=OUTAGES,
        webhook_times=WEBHOOK_TIMES,
        new_key=f"sk_test_{ids.random_text(24)}",
        problem=problem,
        url=simulator.public_url,
    )
    response = secured(page, None, 422 if problem else 200)
    response.headers["Referrer-Policy"] = "same-origin"  # else its own forms bear `Origin: null`
    return response
