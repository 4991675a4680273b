"""Who has access to a customer's billing page, as far as an operator may change it."""

from flask import flash, request
from flask.typing import ResponseReturnValue

from app import operators
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages, refuse
from app.core import db
from app.core.errors import Conflict, Invalid, NotFound
from app.onboarding import billing
from app.operators import Role


@pages.action("/customers/<customer_id>/people", role=Role.OPERATOR)
def invite(customer_id: str) -> ResponseReturnValue:
    """Invite somebody to the billing page, and show the link once. Send it, too, where email is set up."""
    session = db.session()
    customer = actions.find_to_change(session, customer_id)
    try:
        person, token = billing.invite(
            session, customer, request.form.get("email", ""), actor=operators.actor()
        )
    except (Conflict, Invalid) as error:
        return refuse(session, customer_id, error)
    is_sent = billing.send_invitation(session, person, token, actor=operators.actor())
    session.commit()
    shown = {"url": billing.invitation_url(token), "sent_to": person.email if is_sent else ""}
    operators.keep_once(f"person:{customer.id}", shown)
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/people/<person_id>/remove", role=Role.OPERATOR)
def remove_person(customer_id: str, person_id: str) -> ResponseReturnValue:
    """Remove a person from the billing page, at once and in every browser."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id)
    try:
        billing.remove_person(session, customer.id, person_id, actor=operators.actor())
    except NotFound as error:
        return refuse(session, customer_id, error)
    session.commit()
    flash("Removed. This person no longer has access.", "success")
    return go_to(customer_id)


@pages.action("/customers/<customer_id>/sign-out", role=Role.OPERATOR)
def sign_out(customer_id: str) -> ResponseReturnValue:
    """Sign out every browser of a customer at once."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id, lock=True)
    number = billing.sign_out_everywhere(session, customer, actor=operators.actor())
    session.commit()
    flash(_signed_out(number), "success")
    return go_to(customer_id)


def _signed_out(number: int) -> str:
    if number == 0:
        return "No browser was signed in. Codes that were sent no longer work."
    browsers = "One browser was" if number == 1 else f"{number} browsers were"
    return f"{browsers} signed out. Codes that were sent no longer work."
