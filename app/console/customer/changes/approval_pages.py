"""An operator approves or declines a sign-up that waits for it."""

from flask import flash
from flask.typing import ResponseReturnValue

from app import customers, operators
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages, refuse
from app.core import db
from app.core.errors import Conflict, PreconditionFailed
from app.operators import Role


@pages.action("/customers/<customer_id>/approve", role=Role.OPERATOR)
def approve(customer_id: str) -> ResponseReturnValue:
    """Let a sign-up continue to Stripe."""
    return _decide(customer_id, is_approved=True)


@pages.action("/customers/<customer_id>/decline", role=Role.OPERATOR)
def decline(customer_id: str) -> ResponseReturnValue:
    """Let a sign-up end before Stripe. It may be approved later."""
    return _decide(customer_id, is_approved=False)


def _decide(customer_id: str, *, is_approved: bool) -> ResponseReturnValue:
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id, lock=True)
    try:
        customers.decide(session, customer, is_approved=is_approved, actor=operators.actor())
    except (Conflict, PreconditionFailed) as error:
        return refuse(session, customer_id, error)
    session.commit()
    if is_approved:
        flash(
            "Approved. The customer can continue in the same browser, or with a link that you make.",
            "success",
        )
    else:
        flash("Declined. The customer sees that, and Stripe stays closed.", "success")
    return go_to(customer_id)
