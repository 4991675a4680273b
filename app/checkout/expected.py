"""The Stripe customers that are expected: what Stripe was asked to make, until it is recorded."""

import hashlib
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app import db
from app.checkout.models import Expected
from app.customers import NewCustomer
from app.db import utcnow


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
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    db.start_write(session)
    session.execute(
        insert(Expected)
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


def _digest(wanted: NewCustomer) -> str:
    told = repr((wanted.name, wanted.primary_email))
    return hashlib.sha256(told.encode()).hexdigest()[:16]
