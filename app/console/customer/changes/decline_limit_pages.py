"""An operator lets a customer try again after too many declined attempts."""

from flask import flash
from flask.typing import ResponseReturnValue

from app import operators, payers
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages
from app.core import db
from app.operators import Role


@pages.action("/customers/<customer_id>/allow", role=Role.OPERATOR)
def allow(customer_id: str) -> ResponseReturnValue:
    """Let a customer try again, in every Stripe account."""
    session = db.session()
    customer = actions.find_to_change(session, customer_id)
    for payer in payers.all_of_customer(session, customer.id):
        payers.allow_attempts(session, payer, actor=operators.actor())
    session.commit()
    flash("The customer can try again.", "success")
    return go_to(customer_id)
