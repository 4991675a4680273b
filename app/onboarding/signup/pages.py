"""The pages of signing up: the form, storing what it says, forgetting the browser.

`submit` stores the details by `actions.sign_up`, and `payment` opens Stripe's page. If Stripe fails then, the
browser goes to `/return` (`return_pages`), where the customer can continue.
"""

from flask import g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, customers, portal
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, NotFound
from app.core.secrets.sealing import Unsealable
from app.gateway import StripeFailed
from app.onboarding import consents, payment
from app.onboarding.blueprint import bp
from app.onboarding.browsers.visit import app_of_profile, name_browser
from app.onboarding.form import bots
from app.onboarding.form.forms import Form, SignupForm
from app.onboarding.handovers import HandoverRefused
from app.onboarding.handovers.arrival import form as handover_form
from app.onboarding.handovers.arrival import known_customer
from app.onboarding.payment import NotApproved, PaymentMethodOnFile
from app.onboarding.signup import actions, known_page
from app.onboarding.signup.blank_page import blank_page
from app.onboarding.signup.form_page import draw, draw_again, explain
from app.onboarding.trouble import log_cause
from app.web.limits import limited


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
    return blank_page()  # what most visitors see first: it needs no database


def _form_of_visitor(session: Session, *, is_known: bool) -> ResponseReturnValue:
    handed_over = handover_form.of_address(session)
    if handed_over is not None:
        return known_customer.begin(session, *handed_over) or draw(handover_form.begin(*handed_over))
    own = known_page.newest(session, cookie["browser"]) if is_known and "new" not in request.args else None
    if own is not None and own.has_begun:
        return known_page.show(session, own, cookie["browser"])
    if portal.current_profile().sign_up == "links":
        return render_template("onboarding/closed.html")
    mine = _unfinished(own)
    if mine is not None:
        has_agreed = not consents.is_missing(session, portal.current_profile(), mine[0].id)
        return draw(SignupForm.showing(*mine, has_agreed=has_agreed), resuming=True)
    if request.args:
        return draw(SignupForm.blank(**handover_form.unsigned_values()))
    return blank_page()


def is_counted() -> bool:
    """Does this sign-up count? A double click or a reload costs nothing of the budget."""
    return bool(g.get("counts", False))


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
    form = handover_form.sent(session, handover)
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
            terms=actions.Terms(
                handover, consents.given(profile), needs_approval=profile.sign_up == "approval"
            ),
        )
    except actions.AlreadyCustomer as known:
        return known_customer.enter(session, known.handover, known.customer)
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
        reserved = signed_up.reserved
        app = app_of_profile(session) if reserved is None else reserved.payer.app
        db.end_read(session)
        with apps.record_rejection(session, app):
            if reserved is not None:
                return redirect(payment.begin(session, reserved), 303)
            actions.tell_stripe(session, app, customer_id)
            return redirect(payment.resume(session, app, customer_id), 303)
    except (PaymentMethodOnFile, NotApproved):
        return redirect(url_for("onboarding.done", customer=customer_id), 303)
    except (StripeFailed, NotFound, Unsealable) as error:  # NotFound: no app is installed
        session.rollback()
        log_cause(error)
        return redirect(url_for("onboarding.done", customer=customer_id), 303)
    except AppError as error:
        session.rollback()
        g.counts = True
        return draw(form, *explain(form, error))


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


def _unfinished(own: known_page.KnownCustomer | None) -> tuple[customers.Customer, Form] | None:
    """What this browser began, and the form with which it did."""
    if own is None or own.signup.form_id is None:
        return None
    return own.customer, Form(own.signup.form_id)
