"""The Stripe customers that are expected: what Stripe was asked to make, until it is recorded."""

import hashlib
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, customers, payers
from app.checkout.models import Expected
from app.core import db
from app.core.db import utcnow
from app.customers import NewCustomer

UNDER_WAY = timedelta(hours=1)  # by then, whoever asked has recorded the answer or has ended
RETENTION = timedelta(days=3)  # since the last try
BATCH = 500


def find(session: Session, app_id: str, customer_id: str) -> Expected | None:
    """What is expected for a customer in an app. Ends the reading."""
    found = session.get(Expected, (app_id, customer_id), populate_existing=True)
    db.end_read(session)
    return found


def note(session: Session, app_id: str, wanted: NewCustomer, *, since: datetime) -> None:
    """Stripe is about to be asked, as it may have been since then. Commits, so that a crash leaves it."""
    asked = {"first_asked_at": since, "last_asked_at": utcnow()}
    contact = _digest(wanted)
    is_alike = sa.case((Expected.contact == contact, contact), else_="")
    db.start_write(session)
    session.execute(
        db.insert(session, Expected)
        .values(app_id=app_id, customer_id=wanted.id, contact=contact, **asked)
        .on_conflict_do_update(index_elements=["app_id", "customer_id"], set_=asked | {"contact": is_alike})
    )
    session.commit()


def settle(session: Session, app_id: str, wanted: NewCustomer) -> bool:
    """It is recorded: nothing is expected any more. The caller commits.

    False when Stripe was also asked with another name or email address, and may have that one now.
    """
    contacts = session.scalars(
        sa.delete(Expected)
        .where(Expected.app_id == app_id, Expected.customer_id == wanted.id)
        .returning(Expected.contact)
        .execution_options(synchronize_session=False)
    ).all()
    return all(contact == _digest(wanted) for contact in contacts)


def purge(session: Session) -> None:
    """Remove what nothing will come of any more. Commits.

    A call may have ended between asking and recording, after another had recorded what it made. Who never
    comes back has left at most a Stripe customer, which the doctor finds by its metadata.
    """
    now = utcnow()
    unrecorded = sa.select(Expected).where(Expected.last_asked_at < now - UNDER_WAY)
    is_any = session.scalar(unrecorded.with_only_columns(Expected.app_id).limit(1)) is not None
    db.end_read(session)
    if not is_any:
        return
    db.start_write(session)
    for row in session.scalars(unrecorded.order_by(Expected.last_asked_at).limit(BATCH)).all():
        payer = payers.of_customer(session, row.app_id, row.customer_id)
        is_recorded = payer is not None and payer.gone_at is None
        if is_recorded or row.last_asked_at < now - RETENTION or _is_over(session, row):
            session.delete(row)
        if payer is not None and is_recorded and row.contact != _digest(customers.details_of(payer.customer)):
            payers.expect_contact(session, payer.id, now)
    session.commit()


def _is_over(session: Session, row: Expected) -> bool:
    """Is the app uninstalled, or the customer deleted?"""
    app = session.get(apps.App, row.app_id)
    customer = session.get(customers.Customer, row.customer_id)
    return (
        app is None
        or app.deleted_at is not None
        or (customer is not None and customer.deleted_at is not None)
    )


def _digest(wanted: NewCustomer) -> str:
    told = repr((wanted.name, wanted.primary_email))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
