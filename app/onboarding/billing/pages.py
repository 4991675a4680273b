"""The billing page: a customer's payment methods, and what the customer may do with them."""

from collections.abc import Callable

from flask import redirect, render_template, request, url_for
from flask import session as cookie
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, checkout, payers, portal, sync
from app.core import db
from app.core.config import settings
from app.core.db import is_id
from app.core.errors import Invalid, NotFound, PreconditionFailed
from app.core.secrets.sealing import Unsealable
from app.gateway import StripeFailed
from app.onboarding import account_profile, queries
from app.onboarding.billing import accounts, actions, view
from app.onboarding.billing.access import Access, find, others
from app.onboarding.billing.blueprint import bp
from app.onboarding.billing.codes import entry
from app.onboarding.billing.details import form as details_form
from app.onboarding.billing.notes import Note, keep_note, take_note
from app.onboarding.browsers.visit import name_in_url, requested_app
from app.onboarding.returns.way_back import WayBack, way_back
from app.onboarding.trouble import log_cause
from app.web.addresses.urls import external
from app.web.languages import gettext
from app.web.limits import limited


@bp.get("")
@limited(lambda: settings().rate_limit_return)
def page() -> ResponseReturnValue:
    """Show the payment methods of the customer that this browser may see, as Stripe has them now."""
    session = db.session()
    access = find(session, cookie.get("browser"), request.args.get("customer"))
    if access is None:
        return entry.show()
    _use_profile(session, access)
    shown = view.build(session, access)
    return render_template(
        "onboarding/billing/page.html",
        billing=shown,
        customer=access.customer,
        note=take_note(access.customer.id),
        may_manage=not access.is_guest and shown.payer is not None and shown.is_checked,
        may_edit=not access.is_guest
        and details_form.may_change_any(access.customer, may_change_email=access.may_invite),
        others=[] if access.is_guest else others(session, access, cookie["browser"]),
        accounts=accounts.others(session, access, shown.app),
        way_back=_way_back(session, access, shown),
    )


@bp.post("/default")
@limited(lambda: settings().rate_limit_return)
def choose_default() -> ResponseReturnValue:
    """Make a payment method the default."""
    return _change(_choose)


@bp.post("/keep")
@limited(lambda: settings().rate_limit_return)
def keep_default() -> ResponseReturnValue:
    """Keep the default, and ask no more about the other method."""
    return _change(_keep)


@bp.get("/remove")
@limited(lambda: settings().rate_limit_return)
def confirm_removal() -> ResponseReturnValue:
    """Ask before a payment method is removed. Changes nothing."""
    session = db.session()
    access = find_access(session)
    app = requested_app(session)
    payer, method = actions.find_method(session, access, app.id, request.args.get("method", ""))
    return render_template(
        "onboarding/billing/remove.html",
        customer=access.customer,
        method=method,
        app=app,
        is_default=method.id == payer.default_method_id,
        may_remove=view.may_remove(payer, method, access),
        is_last=len(payer.attached_methods) == 1 and not portal.current_profile().billing.may_remove_last,
        successors=view.successors(payer, method, access),
        back_url=_page_url(access, app),
    )


@bp.post("/remove")
@limited(lambda: settings().rate_limit_return)
def remove() -> ResponseReturnValue:
    """Remove a payment method at Stripe."""
    return _change(_remove)


@bp.post("/stripe")
@limited(lambda: settings().rate_limit_return)
def open_stripe() -> ResponseReturnValue:
    """Go to Stripe's own page for this customer. It shows every method, so no guest gets there."""
    session = db.session()
    access = find_access(session)
    app, payer = view.place(session, access)
    if access.is_guest or app is None or payer is None:
        raise NotFound("There is no page at Stripe for this customer.")
    back = external("billing.page", customer=access.customer.id, app=name_in_url(app))
    try:
        return redirect(actions.open_stripe_portal(session, payer, return_url=back), 303)
    except (Invalid, PreconditionFailed, Unsealable) as error:
        session.rollback()
        log_cause(error)
        keep_note(access.customer.id, "portal_closed")
        return redirect(_page_url(access, app), 303)


def _way_back(session: Session, access: Access, shown: view.BillingPage) -> WayBack | None:
    """Return the way back that a hand-over or link gave this browser. Only a click follows it."""
    signup = queries.of_browser(session, cookie.get("browser"), access.customer.id)
    if signup is None or signup.return_url is None or shown.payer is None:
        return None
    status = checkout.payment_status(shown.payer, checkout.latest(session, shown.payer))
    return way_back(session, access.customer, signup, status, stays=True)


def _change(act: Callable[[Session, Access, str, str], Note]) -> ResponseReturnValue:
    """Do what a form asks for, then show the page with the outcome. A repeat does no harm."""
    session = db.session()
    access = find_access(session)
    app = requested_app(session)
    app_id, customer_id, own = app.id, access.customer.id, _page_url(access, app)
    try:
        note = act(session, access, app_id, request.form.get("method", ""))
    except sync.Unanswered:
        note = Note("unanswered")
    except actions.NotAllowed:
        session.rollback()
        note = Note("not_allowed")
    except (Invalid, PreconditionFailed, StripeFailed, Unsealable) as error:
        session.rollback()
        log_cause(error)
        note = Note("failed")
    keep_note(customer_id, note.kind, note.shown)
    return redirect(own, 303)


def _choose(session: Session, access: Access, app_id: str, method_id: str) -> Note:
    actions.choose_default(session, access, app_id, method_id)
    return Note("default", _title(session, access, app_id, method_id))


def _keep(session: Session, access: Access, app_id: str, method_id: str) -> Note:
    actions.keep_default(session, access, app_id, method_id)
    return Note("kept")


def _remove(session: Session, access: Access, app_id: str, method_id: str) -> Note:
    successor = request.form.get("successor")
    if not actions.remove(session, access, app_id, method_id, successor_id=successor):
        return Note("gone")
    return Note("removed", _title(session, access, app_id, method_id))


def _title(session: Session, access: Access, app_id: str, method_id: str) -> str:
    """Return what the reader calls a payment method. One that is gone has a title, too."""
    return view.titles(payers.of_customer(session, app_id, access.customer.id))[method_id]


def find_access(session: Session) -> Access:
    """Return the access that a form or link names. Raises NotFound, also for somebody else's."""
    named = request.values.get("customer", "")
    access = find(session, cookie.get("browser"), named) if is_id(named.upper()) else None
    if access is None:
        raise NotFound(gettext("Open the billing page again in the browser where you started."))
    _use_profile(session, access)
    return access


def _use_profile(session: Session, access: Access) -> None:
    """Show the page in the profile of the account that it is about. A guest stays with that of its link."""
    if access.is_guest:
        portal.use_profile(access.profile)
    else:
        account_profile.use_profile(session, access.customer.id, access.profile)


def _page_url(access: Access, app: apps.App) -> str:
    return url_for("billing.page", customer=access.customer.id, app=name_in_url(app))
