"""The public pages: sign up, come back, go on."""

from typing import Any

import structlog
from flask import Blueprint, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, checkout, customers, gateway, payers, portal, sync
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, NotFound
from app.core.sealing import Unsealable
from app.gateway import StripeFailed, StripeUnavailable
from app.onboarding import (
    actions,
    bots,
    consents,
    handover_form,
    handover_page,
    known_page,
    payment,
    queries,
    state_page,
)
from app.onboarding.blank_page import blank_page
from app.onboarding.form_page import draw, draw_again, draw_text, explain
from app.onboarding.forms import Form, SignupForm
from app.onboarding.handovers import HandoverRefused
from app.onboarding.models import Signup
from app.onboarding.payment import NotApproved, PaymentMethodOnFile
from app.onboarding.visit import app_of_profile, name_browser, outcome_url, requested_app, requested_payer
from app.web import problems
from app.web.limits import limited

bp = Blueprint("onboarding", __name__)
log = structlog.get_logger("gangway.onboarding")


@bp.before_request
def hurry() -> None:
    """Limit how long Stripe may take, because a person waits: the page answers within ten seconds."""
    gateway.set_budget()


@bp.teardown_request
def stop_hurrying(_error: BaseException | None) -> None:
    """The thread goes on to other work."""
    gateway.clear_budget()


def is_counted() -> bool:
    """Does this sign-up count? A double click or a reload costs nothing of the budget."""
    return bool(g.get("counts", False))


@bp.url_value_preprocessor
def take_profile(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Take the profile's name out of the address, so that the views need not."""
    g.named_profile = values.pop("profile", None) if values else None


@bp.before_request
def use_named_profile() -> None:
    """Use the profile that the address names. Raises NotFound when there is none of that name."""
    if g.named_profile is not None:
        portal.profile(g.named_profile)
        portal.use_profile(g.named_profile)


@bp.app_url_defaults
def keep_profile(endpoint: str, values: dict[str, Any]) -> None:
    """Let the addresses of the form name the profile of this request."""
    if endpoint in {"onboarding.form", "onboarding.submit"} and portal.current_slug():
        values.setdefault("profile", portal.current_slug())


@bp.get("/")
def home() -> ResponseReturnValue:
    """The way in."""
    return redirect(url_for("onboarding.form"), 303)


@bp.get("/signup")
@bp.get("/signup/<profile>")
def form() -> ResponseReturnValue:
    """The form: blank, or with what this browser has typed already and not finished."""
    is_known = "browser" in cookie
    name_browser()
    if is_known or request.args or portal.current_profile().sign_up == "links":
        return _form_of_visitor(db.session(), is_known=is_known)
    return blank_page(draw_text)  # what most visitors see first: it needs no database


def _form_of_visitor(session: Session, *, is_known: bool) -> ResponseReturnValue:
    handed_over = handover_form.of_address(session)
    if handed_over is not None:
        return handover_page.begin(session, *handed_over) or draw(handover_form.begin(*handed_over))
    own = known_page.newest(session, cookie["browser"]) if is_known and "new" not in request.args else None
    if own is not None and own.has_begun:
        return known_page.show(session, own, cookie["browser"])
    if portal.current_profile().sign_up == "links":
        return render_template("onboarding/closed.html")
    mine = _unfinished(own)
    if mine is not None:
        return draw(SignupForm.showing(*mine), resuming=True)
    if request.args:
        return draw(SignupForm.blank(**handover_form.unsigned_values()))
    return blank_page(draw_text)


@bp.post("/signup")
@bp.post("/signup/<profile>")
@limited(lambda: settings().rate_limit_signup, counts=is_counted)
@limited(
    lambda: settings().rate_limit_signup_total,
    scope="signup-total",
    name=lambda: "everybody",
    counts=is_counted,
)
def submit() -> ResponseReturnValue:
    """Make the customer and go to Stripe; or say beside each field what is wrong."""
    session = db.session()
    handover = handover_form.of_form(session)
    profile = portal.current_profile()
    if handover is None and profile.sign_up == "links":
        return render_template("onboarding/closed.html"), 403
    form = handover_form.sent(handover)
    sent = Form.of(form.nonce.data)
    again = draw_again(form, sent)
    if again is not None:
        return again
    assert sent is not None  # else the form is drawn again
    try:
        signed_up = actions.sign_up(
            session,
            handover_form.completed(form, handover),
            form_id=sent.id,
            browser=cookie["browser"],
            check=lambda is_new: bots.refuse(sent, is_new=is_new),
            handover=handover,
            consent=consents.given(profile),
            needs_approval=profile.sign_up == "approval",
        )
    except actions.AlreadyCustomer as known:
        return handover_page.enter(session, known.handover, known.customer)
    except HandoverRefused:  # another browser was quicker
        raise
    except AppError as error:
        session.rollback()
        g.counts = True
        return draw(form, *explain(form, error))
    g.counts = signed_up.is_new  # a double click or a reload costs nothing of the budget
    return _open_payment(session, form, signed_up)


def _open_payment(session: Session, form: SignupForm, signed_up: actions.SignedUp) -> ResponseReturnValue:
    """Redirect to Stripe's page, or to the page that shows the state. The details are stored."""
    customer_id = signed_up.customer_id
    try:
        app = app_of_profile(session, signed_up.app)
        db.end_read(session)
        with apps.record_rejection(session, app):
            if signed_up.first is not None:
                return redirect(payment.begin(session, app, signed_up.first), 303)
            actions.tell_stripe(session, app, customer_id)
            return redirect(payment.resume(session, app, customer_id), 303)
    except (PaymentMethodOnFile, NotApproved):
        return redirect(url_for("onboarding.done", customer=customer_id), 303)
    except (StripeFailed, NotFound, Unsealable) as error:  # NotFound: no app is installed
        session.rollback()
        tell(error)
        return redirect(url_for("onboarding.done", customer=customer_id), 303)
    except AppError as error:
        session.rollback()
        g.counts = True
        return draw(form, *explain(form, error))


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
    if payer.stripe_customer_id is None:  # Stripe can't say anything of it yet: nobody needs to wait
        return _details_saved(session, signup, is_away=payer.last_error is not None)
    db.end_read(session)
    checked = sync.refresh(session, payer.id)
    payer = payers.fresh(session, payer.id)
    return state_page.show(session, payer, signup, checked=checked, is_known=known is not None)


@bp.get("/cancelled")
def cancelled() -> ResponseReturnValue:
    """Say how to continue to somebody who went back on Stripe's page."""
    session = db.session()
    signup = queries.of_browser(session, cookie.get("browser"), request.args.get("customer"))
    portal.use_profile(signup.profile if signup else None)
    if signup is not None and known_page.has_begun(session, signup):  # another tab was quicker
        return redirect(outcome_url(signup.customer_id), 303)
    customer = session.get(customers.Customer, signup.customer_id) if signup else None
    return render_template(
        "onboarding/cancelled.html", customer=customer, is_guest=signup is not None and signup.is_guest
    )


@bp.post("/resume")
@limited(lambda: settings().rate_limit_return)
def resume() -> ResponseReturnValue:
    """Go on where it was left: the open page, else a new one."""
    session = db.session()
    signup = queries.of_browser(session, cookie.get("browser"), request.form.get("customer"))
    if signup is None:
        return render_template("onboarding/stranger.html"), 404
    portal.use_profile(signup.profile)
    try:
        is_another = "another" in request.form
        url = payment.resume(session, requested_app(session), signup.customer_id, another=is_another)
    except (PaymentMethodOnFile, NotApproved) as done:
        return redirect(outcome_url(done.customer_id), 303)
    except checkout.TooManyDeclines as error:
        return problems.answer(error.status, *bots.too_many_declines())
    except (StripeFailed, Unsealable) as error:
        session.rollback()
        tell(error)
        if is_in_doubt(error):
            return redirect(outcome_url(signup.customer_id), 303)
        return _details_saved(session, signup, is_away=True, status=503)
    return redirect(url, 303)


@bp.post("/forget")
@limited(lambda: settings().rate_limit_return)
def forget() -> ResponseReturnValue:
    """Forget this browser: on a shared computer, the next person must see nothing of this one."""
    session = db.session()
    db.start_write(session)
    actions.forget_browser(session, cookie.pop("browser", None))
    session.commit()
    return redirect(url_for("onboarding.forgotten"), 303)


@bp.get("/forgotten")
def forgotten() -> ResponseReturnValue:
    """Say that it is done, and how to come back."""
    return render_template("onboarding/forgotten.html")


def is_in_doubt(error: AppError) -> bool:
    """Did Stripe give no answer, so that nobody knows whether it did what was asked? /return checks again."""
    return isinstance(error, StripeUnavailable) and error.is_unanswered


def tell(error: AppError) -> None:
    """Tell the log the cause, where the page says only that it can't be done now."""
    if isinstance(error, Unsealable):
        log.error("secret_not_opened", reason=error.detail)
    else:
        log.warning("payment_page_unavailable", cause=type(error).__name__, reason=error.detail)


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


def _unfinished(own: known_page.KnownCustomer | None) -> tuple[customers.Customer, Form] | None:
    """What this browser began, and the form with which it did."""
    if own is None or own.signup.form_id is None:
        return None
    return own.customer, Form(own.signup.form_id)
