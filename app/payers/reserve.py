"""Creates the Stripe customer of a payer: reserve our row, ask Stripe, record the answer."""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app import apps, customers
from app.core import db
from app.core.database import rows
from app.core.db import new_id, utcnow
from app.core.errors import Conflict
from app.gateway import (
    KEY_LIFETIME,
    BillingDetails,
    StripeFailed,
    StripeFailureStored,
    StripeGateway,
    StripeInProgress,
    StripeRefused,
)
from app.payers import queries
from app.payers.actions import end_gone
from app.payers.billing_details import billing_details, details_from
from app.payers.contact import mark_contact
from app.payers.models import Payer
from app.payers.status_table import PaymentStatus

COMPLETE_AFTER = timedelta(minutes=1)  # then the worker completes what nobody came back for
FOR_STRIPE = ("name", "primary_email", "billing_address", "invoice_details")  # the columns of a customer
MAX_TRIES = 10  # each waits for Stripe, so a concurrent twin has recorded its answer long before


def metadata(payer: Payer) -> dict[str, str]:
    """Return the metadata that every Stripe object of a payer carries."""
    return {"om_namespace": apps.NAMESPACE, "om_app_id": payer.app_id, "om_customer_id": payer.customer_id}


def reserve(session: Session, app: apps.App, customer_id: str) -> tuple[Payer, bool]:
    """Return the live payer of a customer in an app, and whether this call inserted it. Flushes.

    A unique index decides which of several inserts was first. If Stripe has deleted a payer's customer, the
    payer ends and a new one replaces it. Raises PreconditionFailed for a deleted customer, and Conflict when
    others keep ending and reserving its payers.
    """
    db.start_write(session)
    customer = session.get_one(customers.Customer, customer_id)
    for _ in range(MAX_TRIES):
        payer = _new(app, customer)
        is_live = (customers.Customer.id == customer_id, customers.Customer.deleted_at.is_(None))
        # The lock keeps the customer from being deleted before its payer is there to be ended with it.
        if rows.insert_if(session, payer, *is_live, lock=True):
            for name, value in (("app", app), ("customer", customer), ("methods", [])):
                set_committed_value(payer, name, value)
            return payer, True
        found = queries.of_customer(session, app.id, customer_id)
        if found is not None and found.stripe_deleted_at is None:
            return found, False
        if found is not None:
            end_gone(session, found)
        session.refresh(customer)
        customers.refuse_deleted(customer)
    raise Conflict("This customer's payment record keeps changing. Try again in a moment.")


def create_at_stripe(session: Session, payer: Payer) -> Payer:
    """Create the Stripe customer of a reserved payer, and return the payer as it is then. Commits.

    Every call for one payer sends Stripe the same request under the same key. So a repeat, a concurrent call
    and a restart all get the same Stripe customer. Raises what the gateway does, such as StripeRefused when
    Stripe rejects the name or email. The next call then sends what is stored by that time. `last_error` keeps
    the reason.
    """
    stripe = apps.connect(payer.app)
    has_failed = False
    for _ in range(MAX_TRIES):
        if payer.stripe_customer_id is not None or payer.deleted_at is not None:
            return payer
        payer = _with_request(session, payer)
        try:
            created = _ask(session, stripe, payer)
        except StripeInProgress:  # a twin is at it: it records the answer, or we get the same one
            created = None
        except StripeFailureStored as error:
            created = _find(session, stripe, payer)
            if created is None:
                _begin_attempt(session, payer, reason=error.detail)
                if has_failed:
                    raise
                has_failed = True
        except StripeRefused as error:
            _begin_attempt(session, payer, reason=error.detail)
            raise
        except StripeFailed as error:
            _note_error(session, payer, error.detail)
            raise
        payer = _record(session, payer, created) if created else queries.fresh(session, payer.id)
    raise Conflict("This customer is being created at Stripe already. Try again in a moment.")


def record_stripe_customer(session: Session, payer: Payer, stripe_customer_id: str) -> sa.Row[Any] | None:
    """Note the Stripe customer of a reserved payer, unless it has one. Flushes.

    A Stripe customer that was ever bound to another customer is refused: it may have that one's methods.
    Return the columns of the payer and its customer's details for Stripe, or None if nothing was noted.
    """
    held = sa.select(customers.Customer).where(customers.Customer.id == payer.customer_id)
    columns = [customers.Customer.__table__.c[name] for name in FOR_STRIPE]
    done = {"last_error": None, "attempts": 0, "due_at": None, "due_reason": None, "is_priority": False}
    return rows.update_if(
        session,
        payer,
        Payer.stripe_customer_id.is_(None),
        ~queries.of_another(payer, stripe_customer_id).exists(),
        values={"stripe_customer_id": stripe_customer_id} | done,
        also=[held.with_only_columns(each).scalar_subquery().label(each.name) for each in columns],
    )


def note_first_session(session: Session, payer: Payer, *, due_at: datetime, until: datetime) -> bool:
    """Note until when a payer's first checkout session is open, and make the payer due at `due_at`. Flushes.

    Return False when the payer has ended or has changed since it was reserved.
    """
    values = {
        "generation": Payer.generation + 1,
        "due_at": due_at,
        "status": PaymentStatus.IN_PROGRESS.value,
        "status_since": utcnow(),
        "status_until": until,
    }
    is_new = sa.and_(Payer.status == PaymentStatus.NONE.value, Payer.verified_at.is_(None))
    is_left_alone = sa.and_(Payer.due_at.is_(None), Payer.deleted_at.is_(None))
    return rows.update_if(session, payer, is_new, is_left_alone, values=values) is not None


def _new(app: apps.App, customer: customers.Customer) -> Payer:
    """Make a payer that will be reserved when it is flushed."""
    now = utcnow()
    return Payer(
        id=new_id(),
        app_id=app.id,
        customer_id=customer.id,
        signed_up_on=customer.created_at.date(),
        request=_contact(customer),
        status=PaymentStatus.NONE.value,
        status_since=now,
        status_until=None,
        due_at=now + COMPLETE_AFTER,
        due_reason="reserved",
    )


def _contact(customer: customers.Customer) -> dict[str, Any]:
    return _request(customer.name, customer.primary_email, billing_details(customer))


def _request(name: str, email: str | None, details: BillingDetails) -> dict[str, Any]:
    """Return Stripe's parameters for a new customer, without metadata and tax id, which is sent later."""
    return {"name": name, "email": email or None} | details.new_params()


def _with_request(session: Session, payer: Payer) -> Payer:
    """Fix the request of this attempt, so that every call sends the same. Ends the transaction."""
    db.end_read(session)
    if payer.request is not None:
        return payer
    db.start_write(session)
    is_open = sa.and_(Payer.attempt == payer.attempt, Payer.request.is_(None))
    if rows.update_if(session, payer, is_open, values={"request": _contact(payer.customer)}) is None:
        payer = queries.fresh(session, payer.id)
    session.commit()
    return payer


def _ask(session: Session, stripe: StripeGateway, payer: Payer) -> str:
    """Ask for the Stripe customer of this attempt. Look for it first if Stripe may have forgotten the key."""
    if payer.created_at < utcnow() - KEY_LIFETIME:
        found = _find(session, stripe, payer)
        if found is not None:
            return found
    assert payer.request is not None
    return stripe.create_customer(
        payer.request,
        metadata=metadata(payer) | _mark(payer),
        idempotency_key=f"{payer.id}-{payer.attempt}",
    )


def _find(session: Session, stripe: StripeGateway, payer: Payer) -> str | None:
    """Find what an earlier request for this payer created at Stripe. Ends the transaction."""
    found = stripe.find_customer(_mark(payer), since=payer.created_at)
    is_free = found is not None and session.scalar(queries.of_another(payer, found).limit(1)) is None
    db.end_read(session)
    return found if is_free else None


def _mark(payer: Payer) -> dict[str, str]:
    return {"om_payer_id": payer.id}


def _record(session: Session, payer: Payer, stripe_customer_id: str) -> Payer:
    """Store the answer once, and mark edits that were made here since the request as due. Commits.

    An edit that waited for our lock has marked the payer as due, and storing the answer undid that. A tax id
    is always due, because Stripe may refuse it and the customer must exist all the same.
    """
    db.start_write(session)
    try:
        recorded = record_stripe_customer(session, payer, stripe_customer_id)
    except IntegrityError:  # see below
        session.rollback()
        recorded = None
    if recorded is None:
        return _recorded_by_another(session, payer.id)
    details = details_from(recorded.name, recorded.billing_address, recorded.invoice_details)
    if payer.is_contact_due or payer.request != _request(recorded.name, recorded.primary_email, details):
        mark_contact(session, Payer.id == payer.id, name=True, email=True, details=True)
    elif details.tax_id is not None:
        mark_contact(session, Payer.id == payer.id, details=True)
    session.commit()
    return payer


def _recorded_by_another(session: Session, payer_id: str) -> Payer:
    """Return a payer that has a Stripe customer already, or begin another attempt. Commits."""
    payer = queries.fresh(session, payer_id)
    if payer.stripe_customer_id is None:  # somebody bound the new one to another customer just now
        session.rollback()
        _begin_attempt(session, payer)
        return queries.fresh(session, payer_id)
    session.commit()
    return payer


def _begin_attempt(session: Session, payer: Payer, *, reason: str | None = None) -> None:
    """Use another key for the next request. However many calls ask for it, it changes once. Commits."""
    is_spent = sa.and_(Payer.attempt == payer.attempt, Payer.stripe_customer_id.is_(None))
    values = {"attempt": payer.attempt + 1, "last_error": reason, "request": None}
    db.start_write(session)
    rows.update_if(session, payer, is_spent, values=values)
    session.commit()


def _note_error(session: Session, payer: Payer, reason: str) -> None:
    db.start_write(session)
    rows.update_if(session, payer, Payer.stripe_customer_id.is_(None), values={"last_error": reason})
    session.commit()
