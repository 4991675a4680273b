"""The page of an onboarding link: who asks, the customer, the purpose, and one button."""

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import checkout, payers, portal
from app.core import db
from app.core.config import settings
from app.core.errors import AppError, Conflict, NotFound, PreconditionFailed
from app.core.secrets.sealing import Unsealable
from app.gateway import StripeFailed
from app.onboarding import consents, links, queries
from app.onboarding.blueprint import bp
from app.onboarding.browsers.visit import name_browser, name_in_url
from app.onboarding.form import bots
from app.onboarding.links import LinkState, OnboardingLink
from app.onboarding.links.follow import follow
from app.onboarding.payment import NotApproved, PaymentMethodOnFile
from app.onboarding.signup.form_page import Problem
from app.onboarding.trouble import is_in_doubt, log_cause
from app.web.input.forms import is_from_our_page
from app.web.languages import lazy_gettext as _
from app.web.limits import limited

CLOSED = _("We can’t open the payment page right now")
AWAY = Problem(
    CLOSED,
    _(
        "We can’t reach our payment provider right now. Nothing is lost, and this link still works. Try again"
        " in a few minutes."
    ),
)
REFUSED = Problem(
    CLOSED,
    _("Stripe didn’t accept the details we have for you. Please contact us so that we can correct them."),
)
AGAIN = _("Please press the button again")
UNPROVEN = Problem(
    AGAIN,
    _("This page was open for a long time, or your browser didn’t send our cookie. Nothing has changed."),
)
UNAGREED = Problem(
    _("Please agree to the terms"), _("Tick the box beside the terms, then press the button again.")
)
NOT_APPROVED = Problem(
    _("This sign-up is waiting for approval"),
    _("You can continue here as soon as it’s approved. Nothing is lost."),
)
CROWDED = Problem(AGAIN, _("The payment page was already being opened somewhere else."))


@bp.get("/start/<token>")
@limited(lambda: settings().rate_limit_return)
def start(token: str) -> ResponseReturnValue:
    """Show what is asked. Nothing is changed, because programs that scan mails fetch this page too."""
    link = _find(db.session(), token)
    if link is None or not _leads_on(link):
        return _dead(link)
    payer = _payer(db.session(), link)
    is_blocked = payer is not None and checkout.is_blocked(payer)
    return _page(link, token, Problem(*bots.too_many_declines()) if is_blocked else None)


@bp.post("/start/<token>/opened")
@limited(lambda: settings().rate_limit_return)
def note_opened(token: str) -> ResponseReturnValue:
    """Take the script's word that a person has the page before it."""
    session = db.session()
    link = links.find(session, token)
    if link is None or not _leads_on(link):
        return "", 404
    if not is_from_our_page():
        return "", 400
    db.start_write(session)
    links.note_opened(session, link.id)
    session.commit()
    return "", 204


@bp.post("/start/<token>")
@limited(lambda: settings().rate_limit_return)
def press(token: str) -> ResponseReturnValue:
    """Lead to Stripe's page: the open one, else a new one."""
    session = db.session()
    link = _find(session, token)
    if link is None or not _leads_on(link):
        return _dead(link)
    if not is_from_our_page():
        return _page(link, token, UNPROVEN, 422)
    profile = portal.current_profile()
    if consents.is_missing(session, profile, link.customer_id) and "consent" not in request.form:
        return _page(link, token, UNAGREED, 422)
    try:
        url = follow(
            session,
            link,
            browser=name_browser(),
            another="another" in request.form,
            consent=consents.given(profile),
        )
        return redirect(url, 303)
    except PaymentMethodOnFile:
        is_bound = queries.of_browser(session, cookie["browser"], link.customer_id) is not None
        own = _outcome(session, link)
        return redirect(own if is_bound else url_for("onboarding.start", token=token), 303)
    except AppError as error:
        session.rollback()
        return _explained(link, token, error)


def _find(session: Session, token: str) -> OnboardingLink | None:
    """Find a link, and use its profile for the page."""
    link = links.find(session, token)
    if link is not None:
        portal.use_profile(link.profile)
        portal.show_app(link.app_id)
    return link


def _explained(link: OnboardingLink, token: str, error: AppError) -> ResponseReturnValue:
    if isinstance(error, StripeFailed | NotFound | Unsealable):  # NotFound: no app is installed
        log_cause(error)
        if is_in_doubt(error) and queries.of_browser(db.session(), cookie["browser"], link.customer_id):
            return redirect(_outcome(db.session(), link), 303)
        return _page(link, token, AWAY, 503)
    if isinstance(error, NotApproved):
        return _page(link, token, NOT_APPROVED, error.status)
    if isinstance(error, checkout.TooManyDeclines):
        return _page(link, token, Problem(*bots.too_many_declines()), error.status)
    if isinstance(error, PreconditionFailed):  # the customer was deleted just now
        return _dead(link)
    # Stripe's own words may hold the customer's details, and a link may have been passed on.
    return _page(link, token, CROWDED if isinstance(error, Conflict) else REFUSED, error.status)


def _page(
    link: OnboardingLink, token: str, problem: Problem | None = None, status: int = 200
) -> ResponseReturnValue:
    """What is asked, or that it is done: as far as we know, since Stripe is not asked here.

    Which method was saved is shown only to a browser that was there when it was saved.
    """
    session = db.session()
    bound = queries.of_browser(session, name_browser(), link.customer_id)
    payer = _payer(session, link)
    payment = checkout.payment_status(payer, checkout.latest(session, payer))
    method = payer.default_method if payer and bound else None
    page = render_template(
        "onboarding/start.html",
        link=link,
        token=token,
        problem=problem,
        needs_consent=consents.is_missing(session, portal.current_profile(), link.customer_id),
        status=payment.value,
        waits_for_bank=payers.status_info(payment).waits_for_bank,
        method=method if method and bound and bound.sees(method) else None,
        is_bound=bound is not None and payer is not None,
        outcome_url=_outcome(session, link) if bound is not None and payer is not None else None,
    )
    return page, status


def _outcome(session: Session, link: OnboardingLink) -> str:
    """The address of the page that says how it stands in the link's app."""
    return url_for("onboarding.done", customer=link.customer_id, app=name_in_url(links.app_of(session, link)))


def _dead(link: OnboardingLink | None) -> ResponseReturnValue:
    """A link that does not work. Unknown and revoked links and those of deleted customers look the same."""
    is_late = link is not None and link.state is LinkState.EXPIRED and link.customer.deleted_at is None
    return render_template("onboarding/dead_link.html", is_late=is_late), 410 if is_late else 404


def _leads_on(link: OnboardingLink) -> bool:
    return link.works and link.customer.deleted_at is None


def _payer(session: Session, link: OnboardingLink) -> payers.Payer | None:
    try:
        return payers.of_customer(session, links.app_of(session, link).id, link.customer_id)
    except NotFound:
        return None
