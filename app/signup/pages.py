"""The public pages: sign up, come back, go on."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import structlog
from flask import Blueprint, g, redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, checkout, customers, db, gateway, payers, sync
from app.config import settings
from app.db import utcnow
from app.errors import AppError, Invalid, NotFound
from app.gateway import StripeFailed, StripeKeyRejected, StripeUnavailable
from app.payers import PaymentStatus, payment_status
from app.sealing import Unsealable
from app.signup import actions, queries
from app.signup.forms import Form, SignupForm
from app.signup.models import Signup
from app.signup.resume import NothingToPay
from app.signup.resume import resume as resume_payment
from app.web import problems
from app.web.limits import limiter

bp = Blueprint("signup", __name__)
log = structlog.get_logger("gangway.signup")

UNFINISHED_FOR = timedelta(hours=20)  # how long the form remembers what was typed
REFRESHES = (2, 3, 5, 10, 20, 30)  # seconds between looks while something is pending; then a link is left
MICRODEPOSITS = "verify_with_microdeposits"  # Stripe's next_action: a code stands on the bank statement
PENDING = {PaymentStatus.IN_PROGRESS, PaymentStatus.NEEDS_ACTION}


@dataclass(frozen=True)
class Problem:
    """What went wrong with the whole form, above it."""

    title: str
    detail: str


@bp.before_request
def hurry() -> None:
    """Limit how long Stripe may take, because a person waits: the page answers within ten seconds."""
    gateway.set_budget()


@bp.teardown_request
def stop_hurrying(_error: BaseException | None) -> None:
    """The thread goes on to other work."""
    gateway.clear_budget()


@bp.get("/")
def home() -> ResponseReturnValue:
    """The way in."""
    return redirect(url_for("signup.form"), 303)


@bp.get("/signup")
def form() -> ResponseReturnValue:
    """The form: blank, or with what this browser has typed already and not finished."""
    name_browser()
    session = db.session()
    mine = None if "new" in request.args else _unfinished(session)
    return _page(SignupForm.blank() if mine is None else SignupForm.showing(*mine), resuming=mine is not None)


@bp.post("/signup")
@limiter.limit(lambda: settings().rate_limit_signup, deduct_when=lambda _response: g.get("counts", False))
def submit() -> ResponseReturnValue:
    """Make the customer and go to Stripe; or say beside each field what is wrong."""
    form = SignupForm(formdata=request.form)  # text alone: a file in place of it is as good as nothing
    if "add_subject_key" in request.form:  # without JavaScript, one more line is a submission of its own
        form.subject_keys.data.append("")
        return _page(form)
    sent = Form.of(form.nonce.data)
    if not form.validate() or sent is None or "browser" not in cookie:
        return _page(form, _stale(form, sent), status=422)
    session, wanted = db.session(), form.wanted()
    try:
        app = apps.find(session)
        way = actions.submit(session, app, wanted, form=sent, browser=cookie["browser"])
    except NothingToPay as done:
        return redirect(url_for("signup.done", customer=done.customer_id), 303)
    except AppError as error:
        session.rollback()
        g.counts = True
        if isinstance(error, StripeKeyRejected):
            db.start_write(session)
            apps.note_key_state(session, app, accepted=False)
            session.commit()
        is_kept = queries.is_kept(session, sent.id, wanted)
        if is_kept and is_in_doubt(error):
            own = queries.of_form(session, sent.id)
            return redirect(url_for("signup.done", customer=own.customer_id if own else None), 303)
        customer_id = actions.new_customer_id(session, wanted, sent, cookie["browser"])
        form.nonce.data = Form(sent.id, customer_id).nonce
        return _page(form, *_explain(form, error, is_kept=is_kept))
    g.counts = way.is_new  # a double click or a reload costs nothing of the budget
    return redirect(way.url, 303)


@bp.get("/return")
@limiter.limit(lambda: settings().rate_limit_return)
def done() -> ResponseReturnValue:
    """Back from Stripe: ask Stripe, then show what is true."""
    session = db.session()
    named = request.args.get("customer")
    known = queries.of_browser(session, cookie.get("browser"), named)
    opened = queries.returned_from(session, request.args.get("session"), named)
    signup = known or (queries.guest_of(opened) if opened else None)
    if signup is None:
        return render_template("signup/stranger.html"), 404
    is_live = opened is not None and opened.payer.deleted_at is None
    payer = opened.payer if opened and is_live else _payer(session, signup)
    if payer is None:
        return render_template("signup/stranger.html"), 404
    db.end_read(session)
    checked = sync.refresh(session, payer.id)
    payer = payers.fresh(session, payer.id)
    return _state(session, payer, signup, checked=checked, is_known=known is not None)


@bp.get("/cancelled")
def cancelled() -> ResponseReturnValue:
    """Went back on Stripe's page: nothing is lost."""
    session = db.session()
    signup = queries.of_browser(session, cookie.get("browser"), request.args.get("customer"))
    if signup is not None and _has_method(session, signup):  # another tab was quicker
        return redirect(url_for("signup.done", customer=signup.customer_id), 303)
    customer = session.get(customers.Customer, signup.customer_id) if signup else None
    return render_template(
        "signup/cancelled.html", customer=customer, is_guest=signup is not None and signup.is_guest
    )


@bp.post("/resume")
@limiter.limit(lambda: settings().rate_limit_return)
def resume() -> ResponseReturnValue:
    """Go on where it was left: the open page, else a new one."""
    session = db.session()
    signup = queries.of_browser(session, cookie.get("browser"), request.form.get("customer"))
    if signup is None:
        return render_template("signup/stranger.html"), 404
    try:
        url = resume_payment(session, apps.find(session), signup.customer_id)
    except NothingToPay as done:
        return redirect(url_for("signup.done", customer=done.customer_id), 303)
    except (StripeFailed, Unsealable) as error:
        session.rollback()
        tell(error)
        if is_in_doubt(error):
            return redirect(url_for("signup.done", customer=signup.customer_id), 303)
        return problems.answer(
            503,
            "The payment page can't be opened just now",
            "We can't reach our payment provider just now. Your details are kept, and nothing has been"
            " charged.",
        )
    return redirect(url, 303)


def name_browser() -> str:
    """The nonce by which this browser is known again; made when it has none."""
    cookie.permanent = True
    return str(cookie.setdefault("browser", secrets.token_urlsafe(24)))


def is_in_doubt(error: AppError) -> bool:
    """Did Stripe give no answer, so that nobody knows whether it did what was asked? /return checks again."""
    return isinstance(error, StripeUnavailable) and error.is_unanswered


def tell(error: AppError) -> None:
    """Tell the log, where the page says only that it can't be done now, what only an operator can mend."""
    if isinstance(error, Unsealable):
        log.error("secret_not_opened", reason=error.detail)


def _page(
    form: SignupForm, problem: Problem | None = None, status: int = 200, *, resuming: bool = False
) -> ResponseReturnValue:
    page = render_template("signup/form.html", form=form, problem=problem, resuming=resuming)
    return page, status


def _stale(form: SignupForm, sent: Form | None) -> Problem | None:
    """A form that is too old, or that this browser's cookie does not vouch for, gets fresh ones in place."""
    if sent is not None and "csrf_token" not in form.errors and "browser" in cookie:
        return None
    name_browser()
    form.nonce.data = (sent or Form()).nonce
    return Problem(
        "Please send it once more",
        "This page was open for a long time, or your browser did not send our cookie. "
        "Nothing was stored; what you typed is still here.",
    )


def _explain(form: SignupForm, error: AppError, *, is_kept: bool) -> tuple[Problem | None, int]:
    """What to say of a failure. The details may be kept all the same: from before, or as a correction."""
    support = settings().support_email
    if isinstance(error, customers.CustomerTaken):
        # One sentence for every case: it does not tell which name is taken, nor by whom.
        help_ = f"write to {support}" if support else "ask us"
        sentence = "This reference or one of these subject keys can't be used for a new sign-up."
        form.subject_keys.errors = [f"{sentence} If your company has signed up before: {help_} for a link."]
        return None, 422
    if isinstance(error, actions.FormSpent):
        form.nonce.data = Form().nonce
        return Problem("Please send it once more", "Nothing was stored; what you typed is still here."), 422
    if isinstance(error, Invalid) and "email" in error.fields:
        form.email.errors = [error.detail]
        return None, 422
    if isinstance(error, Invalid):
        return Problem("Stripe did not accept these details", error.detail), 422
    if isinstance(error, StripeFailed | NotFound | Unsealable):
        tell(error)
        stored = "Your details are kept" if is_kept else "Nothing was stored"
        return (
            Problem(
                "Payments can't be set up just now",
                f"We can't reach our payment provider just now. {stored}, and what you typed is still here: "
                "try again in a few minutes.",
            ),
            503,
        )
    return Problem("Please send it once more", error.detail), error.status


def _unfinished(session: Session) -> tuple[customers.Customer, Form] | None:
    """What this browser began, and the form with which it did."""
    signup = queries.signed_up(session, cookie.get("browser"))
    if signup is None or signup.form_id is None or utcnow() - signup.created_at > UNFINISHED_FOR:
        return None
    customer = session.get(customers.Customer, signup.customer_id)
    if customer is None or customer.deleted_at is not None or _has_method(session, signup):
        return None
    return customer, Form(signup.form_id)


def _has_method(session: Session, signup: Signup) -> bool:
    payer = _payer(session, signup)
    if payer is None:
        return False
    attempt = checkout.latest(session, payer.id)
    return bool(payer.methods or payer.gone_at or (attempt and attempt.status == "complete"))


def _replaces(method: payers.PaymentMethod, other: payers.PaymentMethod) -> bool:
    """Did the default take the place of another card or account, and not just of the same one?"""
    return other.created_at <= method.created_at and not other.is_same_as(method)


def _payer(session: Session, signup: Signup) -> payers.Payer | None:
    return payers.of_customer(session, apps.find(session).id, signup.customer_id)


def _again(payer: payers.Payer, n: int | None = None) -> str:
    """This page once more, of the same session."""
    return url_for("signup.done", customer=payer.customer_id, session=request.args.get("session"), n=n)


def _state(
    session: Session, payer: payers.Payer, signup: Signup, *, checked: bool, is_known: bool
) -> ResponseReturnValue:
    attempt = checkout.latest(session, payer.id)
    status = payment_status(payer, attempt, utcnow())
    seen = [row for row in payer.methods if row.detached_at is None and signup.sees(row)]
    method = payer.default_method if payer.default_method in seen else None
    newest = next((row for row in reversed(seen) if row is not method), None)  # besides the default
    if status is PaymentStatus.REMOVED and not seen:
        detached = (row for row in payer.methods if row.detached_at is not None and signup.sees(row))
        method = max(detached, key=lambda row: row.detached_at or row.created_at, default=None)
    tries = request.args.get("n", 0, int)
    is_pending = status in PENDING or not checked
    wait = REFRESHES[tries] if is_pending and 0 <= tries < len(REFRESHES) else None
    return render_template(
        "signup/return.html",
        status=status.value,
        customer=payer.customer,
        is_guest=signup.is_guest,
        method=method,
        replaces=newest if newest and method and _replaces(method, newest) else None,
        keeps=newest if newest and method and newest.created_at > method.created_at else None,
        is_saved_twice=newest is not None and method is not None and newest.is_same_as(method),
        unchosen=newest if not method else None,
        reason=attempt.error_message if attempt and status is PaymentStatus.FAILED else None,
        refresh_seconds=wait,
        refresh_url=_again(payer, n=max(tries, 0) + 1),
        again=_again(payer),
        may_resume=is_known,
        awaits_code=attempt is not None and attempt.next_action == MICRODEPOSITS,
        checked=checked,
        is_being_checked=payer.lease is not None,
        checked_at=payer.verified_at,
    )
