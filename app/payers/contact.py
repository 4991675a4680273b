"""Marks which details of a customer must be sent to Stripe.

The commit that stores a new name, email or other detail marks it as due, and only a convergence sends it. So
there is one sender at a time, and it always ends by sending what is stored.
"""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import customers
from app.core.database import statements
from app.core.db import utcnow
from app.payers.actions import due_values
from app.payers.billing_details import billing_details
from app.payers.models import Payer


def replace_customer(
    session: Session, customer: customers.Customer, wanted: customers.NewCustomer, *, actor: str
) -> None:
    """Replace a customer's details, and mark those that Stripe also has as due. Flushes.

    Raises what `customers.replace` does.
    """
    is_new_name = customer.name != wanted.name
    is_new_email = (customer.primary_email or "") != (wanted.primary_email or "")
    before = billing_details(customer)
    customers.replace(session, customer, wanted, actor=actor)
    has_new_details = billing_details(customer) != before
    which = Payer.customer_id == customer.id
    mark_contact(session, which, name=is_new_name, email=is_new_email, details=has_new_details)


def mark_contact(
    session: Session,
    which: sa.ColumnElement[bool],
    *,
    name: bool = False,
    email: bool = False,
    details: bool = False,
) -> None:
    """Mark the name, the email or the other details of some payers as due at Stripe. Flushes."""
    parts = {"is_name_due": name, "is_email_due": email, "are_details_due": details}
    due = {part: True for part, is_due in parts.items() if is_due}
    if due:
        values = {"is_contact_due": True, **due, **due_values(utcnow(), why=None)}
        can_be_told = sa.and_(Payer.deleted_at.is_(None), Payer.stripe_deleted_at.is_(None))
        statements.update_all(session, Payer, which, can_be_told, **values)
