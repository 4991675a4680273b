"""An operator adopts the details that Stripe has of a customer."""

from flask import flash, request
from flask.typing import ResponseReturnValue

from app import operators, payers
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages
from app.core import db
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
