"""The page for a browser that has signed somebody up already: who that is, and what can be done next."""

from dataclasses import dataclass
from datetime import timedelta

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import checkout, customers, payers, portal
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import NotFound
from app.onboarding import queries
from app.onboarding.models import Signup
from app.onboarding.places import app_here
from app.payers import PaymentStatus, payment_status

USABLE = {PaymentStatus.SAVED, PaymentStatus.EXPIRING}


@dataclass(frozen=True)
class Known:
    """A customer that this browser signed up, and whether there is more of it than a form."""

    signup: Signup
    customer: customers.Customer
    has_begun: bool  # a payment method was given, good or not; or an operator decides first


def newest(session: Session, browser: str | None) -> Known | None:
    """The customer that this browser signed up last by this profile, while it is remembered."""
    signup = queries.signed_up(session, browser, profile=portal.current_slug())
    if signup is None or utcnow() - signup.created_at > timedelta(days=settings().browser_days):
        return None
    customer = session.get(customers.Customer, signup.customer_id)
    if customer is None or customer.deleted_at is not None:
        return None
    is_beyond_form = customer.approval in customers.NOT_APPROVED or has_begun(session, signup)
    return Known(signup, customer, is_beyond_form)


def has_begun(session: Session, signup: Signup) -> bool:
    """Did the customer of a sign-up give a payment method, good or not?"""
    payer = _payer(session, signup.customer_id)
    if payer is None:
        return False
    attempt = checkout.latest(session, payer.id)
    return bool(payer.methods or payer.stripe_deleted_at or (attempt and attempt.status == "complete"))


def show(session: Session, known: Known, browser: str) -> ResponseReturnValue:
    """Say who is set up, without asking Stripe. What needs more words has a page that asks it."""
    payer = _payer(session, known.customer.id)
    attempt = checkout.latest(session, payer.id) if payer else None
    if payer is None or payment_status(payer, attempt, utcnow()) not in USABLE:
        return redirect(url_for("onboarding.done", customer=known.customer.id), 303)
    alike = queries.customers_of(session, browser, profile=known.signup.profile)
    return render_template(
        "onboarding/known.html",
        customer=known.customer,
        method=payer.default_method,
        is_expiring=payment_status(payer, attempt, utcnow()) is PaymentStatus.EXPIRING,
        others=[other for other in alike if other.id != known.customer.id][:5],
    )


def _payer(session: Session, customer_id: str) -> payers.Payer | None:
    try:
        return payers.of_customer(session, app_here(session).id, customer_id)
    except NotFound:  # no app is installed
        return None
