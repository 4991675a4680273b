"""The page for a browser that has signed somebody up already: who that is, and what can be done next."""

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import checkout, customers, payers
from app.core.values import frozen
from app.onboarding import queries
from app.onboarding.browsers.visit import requested_payer
from app.onboarding.models import Signup
from app.payers import PaymentStatus, status_info


@frozen
class KnownCustomer:
    """A customer that this browser signed up, and how far it has come."""

    signup: Signup
    customer: customers.Customer
    payer: payers.Payer | None
    attempt: checkout.CheckoutSession | None

    @property
    def has_begun(self) -> bool:
        """Was a payment method given, good or not? Or must somebody wait, so that no form leads on?"""
        return self.customer.approval in customers.NOT_APPROVED or _has_begun(self.payer, self.attempt)


def newest(session: Session, browser: str | None) -> KnownCustomer | None:
    """The customer that this browser signed up last by this profile, while it is remembered."""
    signup = queries.signed_up(session, browser)
    if signup is None or signup.created_at <= queries.remembered_since():
        return None
    customer = session.get(customers.Customer, signup.customer_id)
    if customer is None or customer.deleted_at is not None:
        return None
    payer, attempt = _where_it_stands(session, customer.id)
    return KnownCustomer(signup, customer, payer, attempt)


def has_begun(session: Session, signup: Signup) -> bool:
    """Did the customer of a sign-up give a payment method, good or not? Or must somebody wait?"""
    customer = session.get(customers.Customer, signup.customer_id)
    is_closed = customer is not None and customer.approval in customers.NOT_APPROVED
    return is_closed or _has_begun(*_where_it_stands(session, signup.customer_id))


def show(session: Session, known: KnownCustomer, browser: str) -> ResponseReturnValue:
    """Say who is set up, without asking Stripe. What needs more words has a page that asks it."""
    status = checkout.payment_status(known.payer, known.attempt)
    if known.payer is None or not status_info(status).is_usable:
        return redirect(url_for("onboarding.done", customer=known.customer.id), 303)
    alike = queries.customers_of(session, browser)
    return render_template(
        "onboarding/known.html",
        customer=known.customer,
        method=known.payer.default_method,
        is_expiring=status is PaymentStatus.EXPIRING,
        others=[other for other in alike if other.id != known.customer.id][:5],
    )


def _where_it_stands(
    session: Session, customer_id: str
) -> tuple[payers.Payer | None, checkout.CheckoutSession | None]:
    payer = requested_payer(session, customer_id)
    return payer, checkout.latest(session, payer)


def _has_begun(payer: payers.Payer | None, attempt: checkout.CheckoutSession | None) -> bool:
    if payer is None:
        return False
    is_over = bool(payer.methods or payer.stripe_deleted_at) or checkout.is_blocked(payer)
    return is_over or (attempt is not None and attempt.status == "complete")
