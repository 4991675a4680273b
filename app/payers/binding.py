"""Bind a customer to an existing Stripe customer, perhaps with a default method, or unbind it."""

from collections.abc import Sequence

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import apps, audit, customers
from app.core import db
from app.core.db import new_id, utcnow
from app.core.errors import Conflict, Invalid, PreconditionFailed
from app.core.values import frozen
from app.gateway import StripeCustomer, StripeGateway, StripeObjectMissing
from app.payers import queries
from app.payers.actions import activate, end, end_gone, mark_due, note, upsert_payment_method
from app.payers.models import Payer
from app.payers.reserve import record_stripe_customer

BOUND = "This Stripe customer is bound to another customer, or this customer is being bound just now."


@frozen(kw_only=True)
class Binding:
    """The Stripe customer that a customer should have in one app.

    The method, if any, becomes the default at Stripe. None withdraws the wish of an earlier binding, and
    leaves any default that was set elsewhere, such as at Checkout or in Stripe's Dashboard.
    """

    app: apps.App
    stripe_customer_id: str  # cus_…
    method_id: str | None = None  # pm_…


def bind(
    session: Session, customer: customers.Customer, wanted: Sequence[Binding], *, actor: str
) -> list[Payer]:
    """Bind a customer to Stripe customers, each in its app: all of them or none.

    Ends the transaction before it asks Stripe, and sets the chosen defaults there. Then it writes and
    flushes; the caller commits. A payer with another Stripe customer ends. Raises Invalid when an app is
    named twice, and what the gateway raises. Raises PreconditionFailed for a deleted customer, for a Stripe
    customer that is missing, deleted or bound to someone else, and for a method of another Stripe customer.
    """
    if len({binding.app.id for binding in wanted}) < len(wanted):
        raise Invalid("Each app can be given once.")
    customers.refuse_deleted(customer)
    before = [_payer_of(session, customer, binding) for binding in wanted]
    db.end_read(session)
    found = []
    for binding in wanted:
        with apps.record_rejection(session, binding.app):
            found.append(_check(apps.connect(binding.app), binding))
    chosen = []
    for binding, payer, facts in zip(wanted, before, found, strict=True):
        with apps.record_rejection(session, binding.app):
            chosen.append(_choose(apps.connect(binding.app), binding, payer, facts))

    db.start_write(session)
    session.refresh(customer, with_for_update=customers.FOR_CHANGE)
    customers.refuse_deleted(customer)
    try:
        return [
            _record(session, customer, binding, facts, actor=actor)
            for binding, facts in zip(wanted, chosen, strict=True)
        ]
    except IntegrityError as error:
        session.rollback()
        raise PreconditionFailed(BOUND) from error


def unbind(session: Session, app_id: str, customer: customers.Customer, *, actor: str) -> None:
    """End the payer that a customer has in an app, if there is one. Flushes.

    The Stripe customer and its methods stay at Stripe. The next sign-up makes another payer.
    """
    if end(session, Payer.app_id == app_id, Payer.customer_id == customer.id):
        audit.note(session, "stripe_customer.unbound", actor=actor, customer_id=customer.id, app_id=app_id)


def refuse_missing(session: Session, app: apps.App, stripe_customer_id: str) -> None:
    """Raise PreconditionFailed for a Stripe customer that is missing or deleted. Ends the transaction."""
    db.end_read(session)
    try:
        found = apps.connect(app).customer(stripe_customer_id)
    except StripeObjectMissing as error:
        raise PreconditionFailed(error.detail) from error
    if found.deleted:
        raise PreconditionFailed(f"Stripe customer {found.id} is deleted.")


def bind_first(session: Session, app: apps.App, customer_id: str, stripe_customer_id: str) -> Payer:
    """Bind a customer that has no Stripe customer in this app yet, without asking Stripe. Flushes.

    Raises Conflict when the customer has another Stripe customer, and PreconditionFailed when the Stripe
    customer belongs to another customer.
    """
    db.start_write(session)
    payer = queries.of_customer(session, app.id, customer_id)
    if payer is not None and payer.stripe_deleted_at is not None:
        end_gone(session, payer)
        payer = None
    holder = queries.of_stripe_customer(session, app.id, stripe_customer_id)
    if holder is not None and holder.customer_id != customer_id:
        raise PreconditionFailed(f"Stripe customer {stripe_customer_id} is bound to another customer.")
    try:
        if payer is None:
            return activate(session, app.id, customer_id, stripe_customer_id)
        record_stripe_customer(session, payer, stripe_customer_id)
    except IntegrityError as error:  # somebody else was quicker
        session.rollback()
        raise PreconditionFailed(BOUND) from error
    payer = queries.fresh(session, payer.id)
    if payer.stripe_customer_id != stripe_customer_id:
        raise Conflict(f"Customer {customer_id} is bound to Stripe customer {payer.stripe_customer_id}.")
    return payer


def _payer_of(session: Session, customer: customers.Customer, binding: Binding) -> Payer | None:
    """Return the live payer of the Stripe customer, if any. Raises PreconditionFailed for someone else's."""
    payer = queries.of_stripe_customer(session, binding.app.id, binding.stripe_customer_id)
    if payer is not None and payer.customer_id != customer.id:
        raise PreconditionFailed(BOUND)
    return payer


def _check(stripe: StripeGateway, binding: Binding) -> StripeCustomer:
    """Return what Stripe says about the wanted customer, after checking it and the method."""
    facts = stripe.customer(binding.stripe_customer_id)
    if facts.deleted:
        raise PreconditionFailed(f"Stripe customer {facts.id} is deleted.")
    if binding.method_id is not None:
        method = stripe.payment_method(binding.method_id)
        if method.customer_id != facts.id:
            raise PreconditionFailed(
                f"Payment method {method.id} does not belong to Stripe customer {facts.id}."
            )
    return facts


def _choose(
    stripe: StripeGateway, binding: Binding, payer: Payer | None, facts: StripeCustomer
) -> StripeCustomer:
    """Make the wanted method the default at Stripe, and return what Stripe says about the customer then.

    Do so even if it is the default already, so that no method that was saved earlier replaces it later.
    """
    current = facts.default_method.id if facts.default_method else None
    is_ours = current is not None and payer is not None and payer.chosen_method_id == current
    if binding.method_id is None and not is_ours:
        return facts
    return stripe.set_default_method(facts.id, binding.method_id, choice=new_id())


def _record(
    session: Session, customer: customers.Customer, binding: Binding, facts: StripeCustomer, *, actor: str
) -> Payer:
    """Store a binding and what Stripe said. A convergence fetches the rest."""
    app = apps.find(session, binding.app.id)
    payer = queries.of_customer(session, app.id, customer.id)
    if payer is None or payer.stripe_customer_id != binding.stripe_customer_id:
        end(session, Payer.app_id == app.id, Payer.customer_id == customer.id)
        payer = activate(session, app.id, customer.id, binding.stripe_customer_id)
        note(
            session, payer, "stripe_customer.bound", actor=actor, stripe_customer_id=payer.stripe_customer_id
        )
    default = facts.default_method.id if facts.default_method else None
    if facts.default_method is not None:
        upsert_payment_method(
            payer, facts.default_method, queries.methods(session, {(payer.app_id, facts.default_method.id)})
        )
    if default != payer.default_method_id:
        before = payer.default_method_id
        note(session, payer, "default_method.changed", actor=actor, payment_method_id=default, before=before)
    payer.default_method_id, payer.chosen_method_id = default, binding.method_id
    payer.stripe_deleted_at = None
    payer.is_choice_due = binding.method_id is not None
    payer.status_until = utcnow()  # the worker states it: what pages were opened is known above
    mark_due(session, payer.id, at=utcnow(), why="binding")
    session.flush()
    return payer
