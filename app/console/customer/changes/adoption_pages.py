"""An operator's decisions about one customer: adopt Stripe's details, allow more attempts."""

from flask import flash, request
from flask.typing import ResponseReturnValue

from app import operators, payers
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages
from app.core import db
from app.core.db import utcnow
from app.operators import Role


@pages.action("/customers/<customer_id>/adopt", role=Role.OPERATOR)
def adopt(customer_id: str) -> ResponseReturnValue:
    """Adopt Stripe's details, unless they have changed since the page was drawn."""
    session = db.session()
    customer = actions.find_to_change(session, customer_id)
    payer = payers.of_customer(session, request.form.get("app_id", ""), customer.id)
    adopted = payers.adopt(session, customer, payer, request.form, actor=operators.actor()) if payer else []
    session.commit()
    if adopted:
        labels = ", ".join(each.label.lower() for each in adopted)
        flash(f"Adopted from Stripe: {labels}.", "success")
    else:
        flash(
            "Nothing was changed: the details have changed since you opened the page. Check them again.",
            "info",
        )
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/allow", role=Role.OPERATOR)
def allow(customer_id: str) -> ResponseReturnValue:
    """Let a customer try again after too many declined attempts."""
    session = db.session()
    customer = actions.find_to_change(session, customer_id)
    for payer in payers.all_of_customer(session, customer.id):
        if payer.blocked_at is not None:
            payer.blocked_at, payer.declines_since = None, utcnow()
            payers.note(session, payer, "payer.allowed", actor=operators.actor())
    session.commit()
    flash("The customer can try again.", "success")
    return go_to(customer_id)
