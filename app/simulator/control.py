"""The controls: a page for people and a route for programs, to turn knobs and make things happen."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator import accounts, ids
from app.simulator.books import DEFAULT_ACCOUNT
from app.simulator.knobs import FAULTS, WEBHOOK_TIMES
from app.simulator.pages import secured
from app.simulator.shapes import JSON

if TYPE_CHECKING:
    from app.simulator.simulator import Simulator

Form = Mapping[str, Any]
Action = Callable[["Simulator", Form], None]

_SHOWN = 15  # of the latest of each kind


def blueprint(simulator: "Simulator") -> Blueprint:
    """GET and POST /_control, and GET /_control.json."""
    control = Blueprint("control", __name__)

    @control.get("/_control")
    def page() -> ResponseReturnValue:
        return _page(simulator)

    @control.get("/_control.json")
    def state() -> ResponseReturnValue:
        return jsonify(_state(simulator))

    @control.post("/_control")
    def act() -> ResponseReturnValue:
        origin = request.headers.get("Origin")
        if origin not in {None, "null"} and urlsplit(str(origin)).netloc != request.host:
            return "This form was sent by another site.", 403
        form: Form = request.get_json() if request.is_json else request.form
        try:
            perform(simulator, form)
        except (ValueError, KeyError) as error:
            problem = str(error) if isinstance(error, ValueError) else f"There is no {error}."
            if request.is_json:
                return jsonify({"error": problem}), 400
            return _page(simulator, problem)
        if request.is_json:
            return jsonify(_state(simulator))
        return redirect(url_for("control.page"), 303)

    return control


def perform(simulator: "Simulator", form: Form) -> None:
    """Do what the form's `action` says; raises ValueError or KeyError when that can't be."""
    name = str(form.get("action", ""))
    if name not in ACTIONS:
        raise ValueError(f"There is no action {name!r}. There are: {', '.join(ACTIONS)}.")
    ACTIONS[name](simulator, {key: value for key, value in form.items() if key != "action"})


def _turn(simulator: "Simulator", form: Form) -> None:
    """Turn knobs. A form has no word for an unticked box: `boxes` names those it showed."""
    boxes = str(form.get("boxes", "")).split()
    wanted = {name: value for name, value in form.items() if name != "boxes"}
    simulator.knobs.change(dict.fromkeys(boxes, "off") | wanted)
    simulator.deliveries.wake()


def _reset(simulator: "Simulator", _form: Form) -> None:
    simulator.knobs.reset()
    simulator.faults.clear()
    simulator.deliveries.wake()


def _fault(simulator: "Simulator", form: Form) -> None:
    seconds = form.get("seconds")
    simulator.faults.add(
        str(form["kind"]),
        str(form.get("route") or "*"),
        int(form.get("times") or 1),
        seconds=float(seconds) if seconds else None,
    )


def _add_key(simulator: "Simulator", form: Form) -> None:
    wanted = form.get("permissions")
    permissions = wanted.split() if isinstance(wanted, str) else wanted
    account = form.get("account") or DEFAULT_ACCOUNT
    accounts.add_key(simulator.books, form["key"], account=account, permissions=permissions or None)


def _add_account(simulator: "Simulator", form: Form) -> None:
    """A new account with a key of its own."""
    now = simulator.clock.now()
    account = form.get("account") or f"acct_1RZzxY{ids.random_text(10)}"
    with simulator.books.transaction():
        name = form.get("name") or "Another Company"
        accounts.add_account(simulator.books, account, now, name=name)
        accounts.add_key(simulator.books, form["key"], account=account)


def _yes(form: Form) -> bool:
    return str(form.get("ok", "true")).lower() in {"true", "1", "on", "yes"}


ACTIONS: dict[str, Action] = {
    "knobs": _turn,
    "reset": _reset,
    "release": lambda simulator, _: simulator.release(),
    "fault": _fault,
    "clear_faults": lambda simulator, _: simulator.faults.clear(),
    "advance": lambda simulator, form: simulator.advance(float(form["seconds"])),
    "expire_session": lambda simulator, form: simulator.expire_session(form["session"]),
    "microdeposits": lambda simulator, form: _ignore(
        simulator.verify_microdeposits(form["session"], ok=_yes(form))
    ),
    "detach": lambda simulator, form: simulator.detach_payment_method(form["payment_method"]),
    "renew_card": lambda simulator, form: simulator.renew_card(form["payment_method"]),
    "delete_customer": lambda simulator, form: simulator.delete_customer(form["customer"]),
    "mandate": lambda simulator, form: simulator.settle_mandate(form["mandate"], form["status"]),
    "replay": lambda simulator, form: _ignore(simulator.replay_event(form["event"])),
    "add_account": _add_account,
    "add_key": _add_key,
    "revoke_key": lambda simulator, form: accounts.revoke_key(simulator.books, form["key"]),
}


def _ignore(_outcome: object) -> None:
    """Some deeds tell how they went; the state shows it as well."""


def _state(simulator: "Simulator") -> JSON:
    books = simulator.books
    return {
        "now": simulator.clock.now(),
        "ahead": simulator.clock.ahead,
        "knobs": simulator.knobs.state(),
        "faults": simulator.faults.state(),
        "keys": [
            key | {"id": accounts.masked(key["id"]), "account": books.keys.owner(key["id"])}
            for key in books.keys.snapshot()
        ],
        "counts": {name: len(collection) for name, collection in books.collections.items()},
        "waiting": books.deliveries.snapshot()[-_SHOWN:],
        "tries": books.tries.snapshot()[-_SHOWN:][::-1],
        "events": [
            {name: event[name] for name in ("id", "type", "created", "pending_webhooks")}
            for event in books.events.snapshot()[-_SHOWN:][::-1]
        ],
    }


def _page(simulator: "Simulator", problem: str | None = None) -> Response:
    books = simulator.books
    sessions = [
        {
            "id": session["id"],
            "status": session["status"],
            "customer": session["customer"],
            "intent": books.setup_intents[session["setup_intent"]]["status"],
            "deposits": simulator.microdeposits_of(session["id"]) is not None,
        }
        for session in books.checkout_sessions.snapshot()[-_SHOWN:][::-1]
    ]
    people = [customer for customer in books.customers.snapshot() if not customer.get("deleted")]
    methods = [method for method in books.payment_methods.snapshot() if method["customer"]]
    page = render_template(
        "simulator/control.html",
        state=_state(simulator),
        sessions=sessions,
        customers=people[-_SHOWN:][::-1],
        methods=methods[-_SHOWN:][::-1],
        mandates=books.mandates.snapshot()[-_SHOWN:][::-1],
        endpoints=books.webhook_endpoints.snapshot(),
        fault_kinds=FAULTS,
        webhook_times=WEBHOOK_TIMES,
        problem=problem,
        url=simulator.public_url,
    )
    return secured(page, None, 422 if problem else 200)
