"""The customer portal's page: see the payment methods, choose the default, remove one."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.simulator.engine import Engine
from app.simulator.pages.responses import TYPE_NAMES, secure_page
from app.simulator.resources import payment_method_store
from app.simulator.store import JSON


def blueprint(engine: Engine) -> Blueprint:
    """Make the routes of the page. Its address is the `url` of a portal session."""
    portal = Blueprint("portal", __name__)

    @portal.get("/p/session/<secret>")
    def show(secret: str) -> ResponseReturnValue:
        session = _session(engine, secret)
        customer = _customer(engine, session)
        if session is None or customer is None:
            return secure_page(render_template("closed.html"), None, 404)
        page = render_template(
            "portal.html",
            secret=secret,
            session=session,
            customer=customer,
            names=TYPE_NAMES,
            methods=_methods(engine, customer),
            default=customer["invoice_settings"]["default_payment_method"],
        )
        return secure_page(page, None)

    @portal.post("/p/session/<secret>")
    def change(secret: str) -> ResponseReturnValue:
        session = _session(engine, secret)
        customer = _customer(engine, session)
        chosen = request.form.get("payment_method")
        if session is not None and customer is not None:
            work = engine.work_for(session["id"], engine.store.portal_sessions)
            with engine.store.transaction():
                for method in _methods(engine, customer):
                    if method["id"] == chosen and request.form.get("do") == "remove":
                        payment_method_store.detach(work, method)
                    elif method["id"] == chosen:
                        payment_method_store.make_default(work, customer, chosen)
        return redirect(url_for("portal.show", secret=secret), 303)

    return portal


def _session(engine: Engine, secret: str) -> JSON | None:
    sessions = engine.store.portal_sessions.snapshot()
    return next((session for session in sessions if session["url"].endswith(f"/{secret}")), None)


def _customer(engine: Engine, session: JSON | None) -> JSON | None:
    customer = engine.store.customers[session["customer"]] if session else None
    return None if customer is None or customer.get("deleted") else customer


def _methods(engine: Engine, customer: JSON) -> list[JSON]:
    methods = engine.store.payment_methods.snapshot()
    return [method for method in methods if method["customer"] == customer["id"]]
