"""The pages after Stripe's: `/return` shows the outcome, `/cancelled` and `/resume` lead back there.

`/return` asks Stripe by `sync.refresh`, and `state_page.show` draws what is true. While Stripe does not
answer, it draws what we know. A browser that we do not know gets a 404. `payment.resume` chooses the next
page, and `trouble.log_cause` tells the log why there is none.
"""

from flask import redirect, render_template, request
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, checkout, customers, portal, sync
from app.core import db
from app.core.config import settings
from app.core.errors import PreconditionFailed
from app.core.secrets.sealing import Unsealable
from app.gateway import StripeFailed
from app.onboarding import account_profile, payment, queries
from app.onboarding.blueprint import bp
from app.onboarding.browsers.visit import outcome_url, requested_app, requested_payer
from app.onboarding.form import bots
from app.onboarding.models import Signup
from app.onboarding.payment import NotApproved, PaymentMethodOnFile
from app.onboarding.returns import state_page
from app.onboarding.signup import known_page
from app.onboarding.trouble import is_in_doubt, log_cause
from app.web import problems
from app.web.limits import limited


@bp.get("/return")
@limited(lambda: settings().rate_limit_return)
def done() -> ResponseReturnValue:
    """Back from Stripe: ask Stripe, then show what is true."""
    session = db.session()
    named = request.args.get("customer")
    known = queries.of_browser(session, cookie.get("browser"), named)
    opened = queries.returned_from(session, request.args.get("session"), named)
    signup = known or (queries.guest_of(session, opened) if opened else None)
    if signup is None:
        return render_template("onboarding/stranger.html"), 404
    portal.use_profile(signup.profile)
    customer = session.get(customers.Customer, signup.customer_id)
    if customer is not None and customer.approval in customers.NOT_APPROVED and customer.deleted_at is None:
        return render_template("onboarding/awaiting.html", customer=customer, is_guest=signup.is_guest)
    is_live = opened is not None and opened.payer.deleted_at is None
    payer = opened.payer if opened and is_live else requested_payer(session, signup.customer_id)
    if payer is None:
        return _details_saved(session, signup, is_away=apps.default(session) is None)
    portal.show_app(payer.app_id)
    if not signup.is_guest:
        portal.use_profile(account_profile.slug_of(session, payer, signup.profile))
    if payer.stripe_customer_id is None:  # Stripe can't say anything of it yet: nobody needs to wait
        return _details_saved(session, signup, is_away=payer.last_error is not None)
    db.end_read(session)
    checked = sync.refresh(session, payer.id)
    return state_page.show(session, payer, signup, checked=checked, is_known=known is not None)


@bp.get("/cancelled")
def cancelled() -> ResponseReturnValue:
    """Say how to continue to somebody who went back on Stripe's page."""
    session = db.session()
    signup = queries.of_browser(session, cookie.get("browser"), request.args.get("customer"))
    portal.use_profile(signup.profile if signup else None)
    if signup is not None and known_page.has_begun(session, signup):  # in another tab, or nobody may begin
        return redirect(outcome_url(signup.customer_id), 303)
    customer = session.get(customers.Customer, signup.customer_id) if signup else None
    if customer is not None and customer.deleted_at is not None:
        return render_template("onboarding/stranger.html"), 404
    return render_template(
        "onboarding/cancelled.html", customer=customer, is_guest=signup is not None and signup.is_guest
    )


@bp.post("/resume")
@limited(lambda: settings().rate_limit_return)
def resume() -> ResponseReturnValue:
    """Continue on the open page of Stripe's, else on a new one."""
    session = db.session()
    signup = queries.of_browser(session, cookie.get("browser"), request.form.get("customer"))
    if signup is None:
        return render_template("onboarding/stranger.html"), 404
    portal.use_profile(signup.profile)
    if not signup.is_guest:
        account_profile.use_profile(session, signup.customer_id, signup.profile)
    try:
        is_another = "another" in request.form
        url = payment.resume(session, requested_app(session), signup.customer_id, another=is_another)
    except (PaymentMethodOnFile, NotApproved):
        return redirect(outcome_url(signup.customer_id), 303)
    except PreconditionFailed as error:
        return _explained(session, signup, error)
    return redirect(url, 303)


def _explained(session: Session, signup: Signup, error: PreconditionFailed) -> ResponseReturnValue:
    """Say why the customer can't continue."""
    if isinstance(error, checkout.TooManyDeclines):
        return problems.answer(error.status, *bots.too_many_declines())
    session.rollback()
    if not isinstance(error, StripeFailed | Unsealable):  # the customer was deleted
        return render_template("onboarding/stranger.html"), 404
    log_cause(error)
    if is_in_doubt(error):
        return redirect(outcome_url(signup.customer_id), 303)
    return _details_saved(session, signup, is_away=True, status=503)


def _details_saved(
    session: Session, signup: Signup, *, is_away: bool, status: int = 200
) -> ResponseReturnValue:
    """Say that the details are saved, and offer to continue; `is_away`: why it did not continue."""
    customer = session.get(customers.Customer, signup.customer_id)
    if customer is None or customer.deleted_at is not None:
        return render_template("onboarding/stranger.html"), 404
    page = render_template(
        "onboarding/details_saved.html", customer=customer, is_away=is_away, is_guest=signup.is_guest
    )
    return page, status
