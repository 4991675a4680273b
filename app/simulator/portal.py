"""The customer portal's page, as far as payment methods go: see them, choose the default, remove one."""

from typing import TYPE_CHECKING

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator import wallet
from app.simulator.pages import TABS, secured
from app.simulator.shapes import JSON

if TYPE_CHECKING:
    from app.simulator.simulator import Simulator


def blueprint(simulator: "Simulator") -> Blueprint:
    """The page behind the `url` of a portal session."""
    portal = Blueprint("portal", __name__)

    @portal.get("/p/session/<secret>")
    def show(secret: str) -> ResponseReturnValue:
        session = _session(simulator, secret)
        customer = _customer(simulator, session)
        if session is None or customer is None:
            return secured(render_template("simulator/closed.html"), None, 404)
        page = render_template(
            "simulator/portal.html",
            secret=secret,
            session=session,
            customer=customer,
            names=TABS,
            methods=_methods(simulator, customer),
            default=customer["invoice_settings"]["default_payment_method"],
        )
        return secured(page, None)

    @portal.post("/p/session/<secret>")
    def change(secret: str) -> ResponseReturnValue:
        session = _session(simulator, secret)
        customer = _customer(simulator, session)
        wanted = request.form.get("payment_method")
        if session is not None and customer is not None:
            work = simulator.work_for(session["id"], simulator.store.portal_sessions)
            with simulator.store.transaction():
                for method in _methods(simulator, customer):
                    if method["id"] == wanted and request.form.get("do") == "remove":
                        wallet.detach_from(work, method)
                    elif method["id"] == wanted:
                        wallet.make_default(work, customer, wanted)
        return redirect(url_for("portal.show", secret=secret), 303)

    return portal


def _session(simulator: "Simulator", secret: str) -> JSON | None:
    sessions = simulator.store.portal_sessions.snapshot()
    return next((session for session in sessions if session["url"].endswith(f"/{secret}")), None)


def _customer(simulator: "Simulator", session: JSON | None) -> JSON | None:
    customer = simulator.store.customers[session["customer"]] if session else None
    return None if customer is None or customer.get("deleted") else customer


def _methods(simulator: "Simulator", customer: JSON) -> list[JSON]:
    methods = simulator.store.payment_methods.snapshot()
    return [method for method in methods if method["customer"] == customer["id"]]
