"""The routes of hand-overs, and the page for those that let nobody in."""

from flask import render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue

from app.core import db
from app.core.config import settings
from app.onboarding import handovers, queries
from app.onboarding.blueprint import bp
from app.onboarding.browsers.visit import name_browser
from app.onboarding.handovers import HandoverRefused
from app.onboarding.handovers.arrival import form as handover_form
from app.onboarding.handovers.arrival import known_customer
from app.web.input.forms import is_from_our_page
from app.web.limits import limited


@bp.errorhandler(HandoverRefused)
def refuse(error: HandoverRefused) -> ResponseReturnValue:
    """Send somebody with a bad token back to the company's app."""
    db.session().rollback()
    return render_template("onboarding/handover_refused.html", kind=error.kind), error.status


@bp.post("/handover")
@limited(lambda: settings().rate_limit_return)
def enter() -> ResponseReturnValue:
    """Let this browser in to the customer of a hand-over."""
    session = db.session()
    handover = handover_form.of_form(session)
    customer = queries.of_handover(session, handover) if handover else None
    if handover is None or customer is None:
        raise HandoverRefused(handovers.WRONG, "No live customer has the key of the hand-over.")
    if not is_from_our_page() or "browser" not in cookie:
        name_browser()
        return known_customer.ask(customer, request.form["handover"], is_stale=True)
    return known_customer.enter(session, handover, customer)
