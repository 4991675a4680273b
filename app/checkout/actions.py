"""Opening hosted pages."""

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import apps, customers, db, journal, payers
from app.checkout import queries
from app.checkout.models import CheckoutSession
from app.config import settings
from app.db import utcnow
from app.errors import Conflict
from app.gateway import StripeGateway, StripeRefused


@dataclass(frozen=True, kw_only=True)
class Order:
    """What every surface asks for: who will pay, and where to send them after."""

    customer: customers.NewCustomer
    success_url: str
    cancel_url: str
    currency: str  # ISO 4217


def start(session: Session, app: apps.App, order: Order, *, actor: str) -> CheckoutSession:
    """Make a customer, its Stripe customer and a hosted page on which it saves a payment method.

    Reads, ends its reading, asks Stripe twice, then writes; the caller commits. The idempotency keys are
    made of the customer's id, which the order settles, so the same order finds the same two Stripe
    objects whether it is repeated at once, later, or after a crash in between.

    Raises CustomerTaken when another customer has the key or a subject key, Conflict when a concurrent
    call with the same order was quicker (look again and `resume`), and what the gateway raises. Nothing
    of ours is stored then.
    """
    wanted = order.customer
    customers.refuse_taken(session, wanted)
    db.end_read(session)

    stripe = apps.connect(app)
    metadata = _metadata(app, wanted.id)
    stripe_customer_id = stripe.create_customer(
        name=wanted.name,
        email=wanted.primary_email,
        metadata=metadata,
        idempotency_key=_key("customer", app.id, wanted.id, wanted.name, wanted.primary_email),
    )
    opened = _open(stripe, app, stripe_customer_id, wanted.id, order, number=0)

    db.start_write(session)
    customer = customers.create(session, wanted, actor=actor)
    payer = payers.Payer(
        app_id=app.id,
        customer=customer,
        stripe_customer_id=stripe_customer_id,
        due_at=utcnow() + timedelta(seconds=settings().pull_interval),
    )
    opened.payer = payer
    session.add(opened)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise Conflict("This customer is being set up already.") from error
    _tell(session, opened, actor)
    return opened


def reopen(session: Session, payer: payers.Payer, order: Order, *, actor: str) -> CheckoutSession:
    """Open one more page for a payer whose earlier pages are of no more use.

    The caller has seen to it that none is open. Commits nothing; raises as `start` does.
    """
    number = queries.count(session, payer.id)
    db.end_read(session)
    app = payer.app
    opened = _open(apps.connect(app), app, payer.stripe_customer_id, payer.customer_id, order, number=number)

    db.start_write(session)
    opened.payer = payer
    session.add(opened)
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise Conflict("A payment page is being opened already.") from error
    payers.mark_due(session, payer.id, utcnow() + timedelta(seconds=settings().pull_interval))
    _tell(session, opened, actor)
    return opened


def close(payer: payers.Payer, page: CheckoutSession) -> None:
    """Close an open page at Stripe, because another takes its place. Our record follows by convergence."""
    try:
        apps.connect(payer.app).expire_session(page.id)
    except StripeRefused:
        return  # it is not open any more, which is as well


def _open(
    stripe: StripeGateway,
    app: apps.App,
    stripe_customer_id: str,
    customer_id: str,
    order: Order,
    *,
    number: int,
) -> CheckoutSession:
    hosted = stripe.open_setup_session(
        stripe_customer_id,
        currency=order.currency,
        success_url=order.success_url,
        cancel_url=order.cancel_url,
        metadata=_metadata(app, customer_id),
        idempotency_key=_key(
            f"session-{number}",
            app.id,
            customer_id,
            stripe_customer_id,
            order.currency,
            order.success_url,
            order.cancel_url,
        ),
    )
    return CheckoutSession(
        id=hosted.id,
        setup_intent_id=hosted.setup_intent_id,
        url=hosted.url,
        currency=order.currency,
        expires_at=hosted.expires_at,
    )


def _tell(session: Session, opened: CheckoutSession, actor: str) -> None:
    payer = opened.payer
    journal.note(
        session,
        "checkout.started",
        actor=actor,
        customer_id=payer.customer_id,
        app_id=payer.app_id,
        stripe_customer_id=payer.stripe_customer_id,
        session_id=opened.id,
    )


def _metadata(app: apps.App, customer_id: str) -> dict[str, str]:
    return {"om_namespace": apps.NAMESPACE, "om_app_id": app.id, "om_customer_id": customer_id}


def _key(what: str, app_id: str, customer_id: str, *parameters: str | None) -> str:
    """Name the thing wanted; a digest of the parameters keeps a changed wish apart from the first."""
    digest = hashlib.sha256(json.dumps(parameters).encode()).hexdigest()[:16]
    return f"gangway-{what}-{app_id}-{customer_id}-{digest}"
