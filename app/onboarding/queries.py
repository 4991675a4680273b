"""Reads sign-ups, and what a browser may see by them."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, literal, select
from sqlalchemy.orm import Session

from app import apps, checkout, customers, portal
from app.core.config import settings
from app.core.db import is_id, utcnow
from app.core.errors import NotFound
from app.onboarding.handovers import Handover
from app.onboarding.links import OnboardingLink, profile_of
from app.onboarding.models import BillingAccess, BillingPerson, Consent, Signup, browser_hash

MAX_CUSTOMERS = 20


def of_browser(session: Session, nonce: str | None, customer_id: str | None = None) -> Signup | None:
    """What binds this browser to that customer, else to the one it began with last.

    A browser that opened a link is bound until the link is revoked: it may have reached the wrong person.
    """
    if not nonce or (customer_id and not is_id(customer_id)):
        return None
    query = _of(nonce, customer_id).outerjoin(OnboardingLink, OnboardingLink.id == Signup.link_id)
    signup = session.scalar(query.where(OnboardingLink.revoked_at.is_(None)))
    if signup is not None and not signup.is_guest:
        return signup
    access = access_of(session, nonce, customer_id)
    if access is None or (signup is not None and signup.customer_id != access.customer_id):
        return signup
    return Signup(
        customer_id=access.customer_id,
        profile=access.profile,
        return_url=signup.return_url if signup else None,
        return_label=signup.return_label if signup else None,
        created_at=access.created_at,
    )


def access_of(session: Session, nonce: str, customer_id: str | None = None) -> BillingAccess | None:
    """Return this browser's access as a known person: to that customer, else to the last one."""
    query = accesses_of(nonce).order_by(BillingAccess.created_at.desc()).limit(1)
    if customer_id:
        query = query.where(BillingAccess.customer_id == customer_id)
    return session.scalar(query.execution_options(populate_existing=True))


def accesses_of(nonce: str) -> Select[BillingAccess]:
    """This browser's accesses as a known person, without those of people who were removed."""
    return (
        select(BillingAccess)
        .outerjoin(BillingPerson, BillingPerson.id == BillingAccess.person_id)
        .where(
            BillingAccess.browser_hash == browser_hash(nonce),
            BillingAccess.created_at > remembered_since(),
            BillingAccess.expires_at > utcnow(),
            BillingPerson.removed_at.is_(None),
        )
    )


def remembered_since() -> datetime:
    """The time since when a browser must have come in to be remembered still."""
    return utcnow() - timedelta(days=settings().browser_days)


def returned_from(
    session: Session, session_id: str | None, customer_id: str | None
) -> checkout.CheckoutSession | None:
    """Return the checkout session (cs_…) that sent this customer back, if we opened it."""
    opened = checkout.by_stripe_session(session, session_id) if session_id else None
    is_theirs = opened is not None and opened.payer.customer_id == (customer_id or "").upper()
    return opened if is_theirs else None


def guest_of(session: Session, opened: checkout.CheckoutSession) -> Signup:
    """A browser's access to the outcome of a checkout session. Nothing is stored.

    Only somebody who was on Stripe's page has the session's id. Like every guest, it is shown no method from
    before.
    """
    customer_id = opened.payer.customer_id
    profile = profile_of(session, customer_id)
    return Signup(customer_id=customer_id, link_id=opened.id, profile=profile, created_at=opened.created_at)


def signed_up(session: Session, nonce: str | None, customer_id: str | None = None) -> Signup | None:
    """The sign-up made in this browser by this request's profile: for that customer, else the newest one."""
    return session.scalar(_of(nonce, customer_id).where(*_by_form())) if nonce else None


def newest_with_return(session: Session, customer_id: str) -> Signup | None:
    """The newest sign-up of a customer that a hand-over gave a way back."""
    query = select(Signup).where(Signup.customer_id == customer_id, Signup.return_url.is_not(None))
    return session.scalar(query.order_by(Signup.created_at.desc()).limit(1))


def agreed_language(session: Session, customer_id: str) -> str | None:
    """The language in which a customer last agreed to the terms."""
    agreed = select(Consent.language).where(Consent.customer_id == customer_id)
    return session.scalar(agreed.order_by(Consent.given_at.desc(), Consent.id.desc()).limit(1))


def of_form(session: Session, form_id: str) -> Signup | None:
    """The sign-up that came of this form, in whichever browser."""
    made = select(Signup).where(Signup.form_id == form_id)
    return session.scalar(made.execution_options(populate_existing=True))


def of_form_and_default_app(session: Session, form_id: str) -> tuple[Signup | None, apps.App | None]:
    """The sign-up that came of this form, and the default app if one is installed, in one statement."""
    always = select(literal(1).label("always")).subquery()
    row = session.execute(
        select(Signup, apps.App)
        .select_from(always)
        .outerjoin(Signup, Signup.form_id == form_id)
        .outerjoin(apps.App, and_(apps.App.is_default, apps.App.deleted_at.is_(None)))
        .execution_options(populate_existing=True)
    ).one()
    return row[0], row[1]


def of_details(session: Session, nonce: str, details_hash: str | None) -> Signup | None:
    """The sign-up that this browser made with these details."""
    made = select(Signup).where(
        Signup.browser_hash == browser_hash(nonce), Signup.details_hash == details_hash
    )
    return session.scalar(made.execution_options(populate_existing=True))


def customers_of(session: Session, nonce: str) -> list[customers.Customer]:
    """The live customers that this browser signed up by this profile, some of them, the newest first."""
    query = (
        select(customers.Customer)
        .join(Signup, Signup.customer_id == customers.Customer.id)
        .where(
            Signup.browser_hash == browser_hash(nonce),
            *_by_form(),
            customers.Customer.deleted_at.is_(None),
        )
        .order_by(Signup.created_at.desc())
        .limit(MAX_CUSTOMERS)
        .execution_options(populate_existing=True)
    )
    return list(session.scalars(query))


def of_handover(session: Session, handover: Handover) -> customers.Customer | None:
    """The live customer that has the key of a hand-over."""
    if handover.details.key is None:
        return None
    try:
        return customers.by_key(session, handover.details.key)
    except NotFound:
        return None


def with_names(session: Session, wanted: customers.NewCustomer, customer_id: str) -> customers.NewCustomer:
    """Return the details for the customer with this id. The id is its subject key if it has no other.

    A form that does not ask for subject keys leaves those as they are that a customer has.
    """
    keys = wanted.subject_keys
    asked = portal.current_profile().form
    is_asked = asked.fields["subject_keys"] in {"required", "optional"}
    if not keys and (not is_asked or asked.subject_keys_from_handover_only):
        held = session.get(customers.Customer, customer_id, populate_existing=True)
        keys = tuple(held.subject_keys) if held else ()
    return replace(wanted, id=customer_id, subject_keys=keys or (customer_id,))


def _by_form() -> tuple[ColumnElement[bool], ...]:
    """Was a sign-up made by the form of this request's profile?"""
    return Signup.link_id.is_(None), Signup.profile.is_not_distinct_from(portal.current_slug())


def _of(nonce: str, customer_id: str | None) -> Select[Signup]:
    query = select(Signup).where(Signup.browser_hash == browser_hash(nonce))
    if customer_id:
        query = query.where(Signup.customer_id == customer_id)
    return query.order_by(Signup.created_at.desc()).limit(1).execution_options(populate_existing=True)
