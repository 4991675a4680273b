"""Continuing where a customer left off: the open checkout session, else a new one."""

from dataclasses import asdict, replace
from datetime import timedelta

from sqlalchemy.orm import Session

from app import apps, audit, checkout, customers, payers, portal, sync
from app.core import db
from app.core.db import utcnow
from app.core.errors import AppError
from app.customers import Customer
from app.gateway import CheckoutSessionOptions, StripeRefused
from app.onboarding.browsers.visit import name_in_url
from app.onboarding.checkout_options import checkout_options, without_refused
from app.payers import STATUS_TABLE, Payer, PaymentStatus
from app.web import languages
from app.web.addresses.urls import external

JUST_NOW = timedelta(seconds=5)  # a double click; later the session may be over, and Stripe is asked
DONE = {PaymentStatus.SAVED} | {status for status, info in STATUS_TABLE.items() if info.waits_for_bank}


class NotApproved(AppError):
    """An operator has not approved the sign-up, so Stripe is not opened."""

    status = 403
    title = "Not approved yet"


class PaymentMethodOnFile(Exception):
    """No session needs to be opened: show this customer's state instead."""


def resume(session: Session, app: apps.App, customer_id: str, *, another: bool = False) -> str:
    """Return Stripe's URL for saving a payment method: of the open session, else of a new one.

    A customer without a Stripe customer gets one. With `another`, a customer with a good method may add one
    more; the policy decides which is the default then. Commits. Raises PaymentMethodOnFile when a good method
    is saved or on its way, NotApproved, PreconditionFailed for a deleted customer, and what `checkout.start`
    raises.
    """
    payer, latest = _where_it_stands(session, app, customer_id)
    if payer is not None and (latest is None or utcnow() - latest.created_at > JUST_NOW):
        sync.refresh(session, payer.id)
        payer, latest = _where_it_stands(session, app, customer_id)
    if not another and checkout.payment_status(payer, latest) in DONE:
        raise PaymentMethodOnFile
    order = _order(_approved(customers.get(session, customer_id)), app)
    db.end_read(session)
    if payer and latest and latest.url and latest.status == "open" and latest.expires_at > utcnow():
        if latest.has_terms(asdict(order.options), profile=order.profile):
            return latest.url
        checkout.close(payer, latest)
    return _open(session, app, order)


def reserve(session: Session, app: apps.App, customer: Customer) -> checkout.Reservation:
    """Reserve the first order of a customer that is about to be stored. Flushes.

    It is committed together with the customer, so the worker brings the customer to Stripe even if this
    process dies and nobody comes back.
    """
    return checkout.reserve(session, app, _order(customer, app))


def begin(session: Session, reserved: checkout.Reservation) -> str:
    """Return Stripe's URL for the first order of a customer. Commits. Raises what `checkout.start` raises."""
    return _open(session, reserved.payer.app, reserved.order, reserved)


def _approved(customer: Customer) -> Customer:
    if customer.approval in customers.NOT_APPROVED:
        raise NotApproved("Your sign-up has not been approved.")
    return customer


def _open(
    session: Session, app: apps.App, order: checkout.Order, reservation: checkout.Reservation | None = None
) -> str:
    try:
        started = checkout.start(session, app, order, actor="visitor", reservation=reservation)
    except StripeRefused as error:  # of the next try, another option may be refused: there are few
        return _open(session, app, _without_refused(session, app, order, error))
    assert started.session.url is not None  # our own sessions are never embedded
    return started.session.url


def _without_refused(
    session: Session, app: apps.App, order: checkout.Order, error: StripeRefused
) -> checkout.Order:
    """Return the order without an option that Stripe refused, and note that. Commits. Raises the error."""
    options = without_refused(order.options, error)
    if options is None:
        raise error
    session.rollback()
    db.start_write(session)
    facts = {"customer_id": order.customer_id, "app_id": app.id, "reason": error.detail}
    audit.note(session, "checkout.option_refused", actor="stripe", **facts)
    session.commit()
    return replace(order, options=options)


def _order(customer: Customer, app: apps.App) -> checkout.Order:
    """Order a session that leads back to the state of its customer."""
    return checkout.Order(
        customer_id=customer.id,
        options=CheckoutSessionOptions(
            **checkout_options(portal.current_profile()),
            currency=customer.currency or portal.current_profile().form.first_currency,
            success_url=_success_url(customer, app),
            cancel_url=external("onboarding.cancelled", customer=customer.id, app=name_in_url(app)),
            locale=languages.stripe_locale(),
        ),
        is_own=True,
        profile=portal.current_slug(),
    )


def _success_url(customer: Customer, app: apps.App) -> str:
    """Return where Stripe leads afterwards.

    The whole window does not have the cookie of a frame. There, the session that Stripe names shows that this
    browser was on its page.
    """
    url = external("onboarding.done", customer=customer.id, app=name_in_url(app))
    return f"{url}&session={{CHECKOUT_SESSION_ID}}" if portal.current_profile().embed_origins else url


def _where_it_stands(
    session: Session, app: apps.App, customer_id: str
) -> tuple[Payer | None, checkout.CheckoutSession | None]:
    """Read the payer that is at Stripe, and its latest session. Ends the reading."""
    payer = payers.of_customer(session, app.id, customer_id)
    if payer is not None and payer.stripe_customer_id is None:
        payer = None
    latest = checkout.latest(session, payer)
    db.end_read(session)
    return payer, latest
