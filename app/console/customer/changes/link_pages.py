"""Make, renew and revoke the onboarding links of one customer."""

from datetime import timedelta

from flask import current_app, flash, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import apps, operators, portal
from app.console.customer.changes import actions
from app.console.customer.pages import go_to, pages, refuse
from app.core import db
from app.core.db import is_id, utcnow
from app.core.errors import Conflict, NotFound, PreconditionFailed
from app.customers import Customer
from app.onboarding import links
from app.operators import Role

FORM_LIFETIME = timedelta(minutes=10)  # a form that is sent again within it shows the same link


@pages.action("/customers/<customer_id>/links", role=Role.OPERATOR)
def make_link(customer_id: str) -> ResponseReturnValue:
    """Make a link for an app, and show it on the next page. Sending the form again makes no second one."""
    session = db.session()
    customer = actions.find_to_change(session, customer_id)
    app = _app(session)
    token = _token(session, ":".join((customer.id, app.id if app else "", request.form.get("profile", ""))))
    if not _is_made(session, customer, token):
        profile = _profile(session, customer)
        links.create(session, customer, actor=operators.actor(), app=app, profile=profile, token=token)
        session.commit()
    return _shown(customer.id, token)


@pages.action("/customers/<customer_id>/links/<link_id>/renew", role=Role.OPERATOR)
def renew_link(customer_id: str, link_id: str) -> ResponseReturnValue:
    """Replace a link by a new one."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id, lock=True)
    link = _link(session, customer, link_id)
    token = _token(session, f"{customer.id}:{link.id}")
    if not _is_made(session, customer, token):
        try:
            links.renew(session, link.id, actor=operators.actor(), token=token)
        except (Conflict, PreconditionFailed) as error:
            return refuse(session, customer_id, error)
        session.commit()
    return _shown(customer.id, token)


@pages.action("/customers/<customer_id>/links/<link_id>/revoke", role=Role.OPERATOR)
def revoke_link(customer_id: str, link_id: str) -> ResponseReturnValue:
    """Revoke a link."""
    session = db.session()
    db.start_write(session)
    customer = actions.find(session, customer_id)
    links.revoke(session, _link(session, customer, link_id).id, actor=operators.actor())
    session.commit()
    flash("Link revoked.", "success")
    return go_to(customer_id)


def _shown(customer_id: str, token: str) -> ResponseReturnValue:
    """Go to the page, which shows the link once. A reload repeats nothing, and Back works."""
    operators.keep_once(f"link:{customer_id}", links.url(token))
    return go_to(customer_id)


def _token(session: Session, what: str) -> str:
    """The token of the link that this form makes; a new one when its link is old."""
    form_id = request.form.get("form_id", "")
    if not is_id(form_id):
        return links.random_token()
    token = links.token_of_form(str(current_app.secret_key), f"{operators.actor()}:{what}:{form_id}")
    made = links.find(session, token)
    is_old = made is not None and (not made.works or utcnow() - made.created_at > FORM_LIFETIME)
    return links.random_token() if is_old else token


def _is_made(session: Session, customer: Customer, token: str) -> bool:
    made = links.find(session, token)
    return made is not None and made.customer_id == customer.id


def _app(session: Session) -> apps.App | None:
    """The app of the button; None is the default app."""
    app_id = request.form.get("app_id", "")
    return apps.find(session, app_id) if app_id else None


def _profile(session: Session, customer: Customer) -> str | None:
    """The profile that the operator chose, else the one by which the customer signed up."""
    profiles = portal.published().profiles
    chosen = request.form.get("profile") or links.profile_of(session, customer.id)
    return chosen if chosen in profiles else None


def _link(session: Session, customer: Customer, link_id: str) -> links.OnboardingLink:
    for link in links.of_customer(session, customer.id):
        if link.id == link_id:
            return link
    raise NotFound("This customer has no such link.")
