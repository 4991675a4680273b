"""Payment methods and checkout sessions of one customer, as far as an operator may change them."""

from flask import flash, request
from flask.typing import ResponseReturnValue

from app import operators, sync
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages, refuse
from app.core import db
from app.core.errors import Invalid, NotFound, PreconditionFailed
from app.operators import Role


@pages.action("/customers/<customer_id>/charge", role=Role.OPERATOR)
def make_default(customer_id: str) -> ResponseReturnValue:
    """Make another attached method the default."""
    session = db.session()
    customer = actions.find(session, customer_id)
    app_id, method_id = _method()
    try:
        title = sync.choose_default(session, customer, app_id, method_id, actor=operators.actor())
    except (NotFound, Invalid, PreconditionFailed) as error:
        return refuse(session, customer_id, error)
    flash(f"{title} is now the default.", "success")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/detach", role=Role.OPERATOR)
def detach(customer_id: str) -> ResponseReturnValue:
    """Remove a payment method from Stripe."""
    session = db.session()
    customer = actions.find(session, customer_id)
    app_id, method_id = _method()
    try:
        title = sync.detach(session, customer.id, app_id, method_id, actor=operators.actor())
    except (NotFound, Invalid, PreconditionFailed) as error:
        return refuse(session, customer_id, error)
    flash(f"{title} has been removed from Stripe.", "success")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/close-page", role=Role.OPERATOR)
def close_checkout_session(customer_id: str) -> ResponseReturnValue:
    """Close an open checkout session."""
    session = db.session()
    customer = actions.find(session, customer_id)
    try:
        is_closed = actions.close_checkout_session(
            session, customer, request.form.get("session_id", ""), actor=operators.actor()
        )
    except (NotFound, PreconditionFailed) as error:
        return refuse(session, customer_id, error)
    flash("Checkout session closed." if is_closed else "The checkout session was already closed.", "success")
    return go_to(customer_id)


def _method() -> tuple[str, str]:
    return request.form.get("app_id", ""), request.form.get("method_id", "")
