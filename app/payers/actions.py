"""Keeping a payer's rows, and ending them with their customer or their app."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session, object_session

from app import apps, customers, db, journal
from app.db import utcnow
from app.errors import PreconditionFailed
from app.gateway import Method, PortalSession, StripeRefused
from app.payers.models import Payer, PaymentMethod


def mark_due(session: Session, payer_id: str, at: datetime) -> None:
    """Have a payer converged by that time, and tell a convergence under way that it is not the last."""
    session.execute(
        sa.update(Payer)
        .where(Payer.id == payer_id)
        .values(
            hints=Payer.hints + 1,
            due_at=sa.case((sa.or_(Payer.due_at.is_(None), Payer.due_at > at), at), else_=Payer.due_at),
        )
        .execution_options(synchronize_session=False)
    )


def remember(payer: Payer, method: Method) -> PaymentMethod:
    """Keep what Stripe says of one method of a payer; a detached one is kept as detached.

    A method that an ended payer had goes over to the one that has its Stripe customer now.
    """
    row = next((known for known in payer.methods if known.id == method.id), None)
    if row is None:
        session = object_session(payer)
        assert session is not None
        row = session.get(PaymentMethod, (payer.app_id, method.id))
        if row is None:
            row = PaymentMethod(id=method.id, app_id=payer.app_id, created_at=utcnow())
        payer.methods.append(row)
    for name in (
        "type",
        "brand",
        "last4",
        "exp_month",
        "exp_year",
        "country",
        "bank_name",
        "email",
        "wallet",
    ):
        setattr(row, name, getattr(method, name))
    if method.customer_id == payer.stripe_customer_id:
        row.detached_at = None
    elif row.detached_at is None:
        row.detached_at = utcnow()
    return row


def delete_customer(session: Session, customer: customers.Customer, *, actor: str) -> None:
    """Mark a customer as deleted, and its payers with it. Stripe is not told. Flushes.

    Raises PreconditionFailed when it is deleted already.
    """
    customers.delete(session, customer, actor=actor)
    end(session, Payer.customer_id == customer.id)


def uninstall(session: Session, app_id: str, *, actor: str) -> None:
    """Uninstall an app; its payers end with it, and their Stripe customers stay. Flushes.

    Raises what `apps.uninstall` does.
    """
    app = apps.uninstall(session, app_id, actor=actor)
    end(session, Payer.app_id == app.id)


def unbind(session: Session, app_id: str, customer: customers.Customer, *, actor: str) -> None:
    """Have no Stripe customer stand for a customer in an app any more; one that is there stays at Stripe."""
    if end(session, Payer.app_id == app_id, Payer.customer_id == customer.id):
        journal.note(session, "stripe_customer.unbound", actor=actor, customer_id=customer.id, app_id=app_id)


def open_portal(
    session: Session,
    payer: Payer,
    *,
    configuration_id: str | None = None,
    locale: str | None = None,
    return_url: str | None = None,
) -> PortalSession:
    """Open the page of Stripe's on which a payer looks after its methods. Ends the reading.

    Raises PreconditionFailed when Stripe has deleted the customer, and what the gateway raises.
    """
    db.end_read(session)
    with apps.noting_rejection(session, payer.app):
        try:
            return apps.connect(payer.app).open_portal_session(
                payer.stripe_customer_id,
                configuration_id=configuration_id,
                locale=locale,
                return_url=return_url,
            )
        except StripeRefused as error:
            if "customer" in error.fields:
                raise PreconditionFailed(error.detail) from error
            raise


def end(session: Session, *which: sa.ColumnElement[bool]) -> int:
    """Mark payers as deleted; they are due no more, and a convergence under way is fenced off. How many."""
    ended = session.scalars(
        sa.update(Payer)
        .where(*which, Payer.deleted_at.is_(None))
        .values(deleted_at=utcnow(), due_at=None, lease=None, leased_until=None)
        .returning(Payer.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())
