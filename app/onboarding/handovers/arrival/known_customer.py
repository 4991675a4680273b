"""What a hand-over leads to besides the form: the state of a customer that is known, or a way in to it."""

from flask import redirect, render_template, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app.core.errors import AppError
from app.customers import Customer
from app.onboarding import handovers, queries
from app.onboarding.handovers import Handover, HandoverRefused
from app.onboarding.handovers.arrival import entering
from app.onboarding.links.follow import follow
from app.onboarding.models import browser_hash
from app.onboarding.payment import PaymentMethodOnFile
from app.onboarding.trouble import log_cause


def begin(session: Session, handover: Handover, kept: str) -> ResponseReturnValue | None:
    """Return the page for a hand-over that needs no form, else None. Changes nothing.

    Programs that scan mails fetch the address too, so only a button uses a hand-over up.
    """
    use = handovers.used_by(session, handover)
    if use is not None:
        if use.browser_hash != browser_hash(cookie["browser"]):
            raise HandoverRefused(handovers.USED, "The token was used before.")
        return redirect(url_for("onboarding.done", customer=use.customer_id), 303)
    customer = queries.of_handover(session, handover)
    return None if customer is None else ask(customer, kept)


def ask(customer: Customer, kept: str, *, is_stale: bool = False) -> ResponseReturnValue:
    """Show for which customer the browser continues, and one button."""
    page = render_template("onboarding/handover.html", customer=customer, kept=kept, is_stale=is_stale)
    return page, 422 if is_stale else 200


def enter(session: Session, handover: Handover, customer: Customer) -> ResponseReturnValue:
    """Let this browser in to a customer, and lead it to Stripe.

    Where a good method is saved, the billing page is next.
    """
    link, browser = entering.enter(session, handover, customer, browser=cookie["browser"])
    cookie["browser"] = browser
    try:
        return redirect(follow(session, link, browser=browser), 303)
    except PaymentMethodOnFile:
        return redirect(url_for("billing.page", customer=customer.id), 303)
    except AppError as error:  # the next page says what can be done
        session.rollback()
        log_cause(error)
    return redirect(url_for("onboarding.done", customer=customer.id), 303)
