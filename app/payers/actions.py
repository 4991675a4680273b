"""Writes the rows of a payer, and ends a payer together with its customer or app."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import apps, audit, customers
from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.core.errors import Conflict, PreconditionFailed
from app.gateway import Method, PortalSession, StripeRefused
from app.payers import queries
from app.payers.models import Payer, PaymentMethod

# What a row holds of Stripe's method. It has its own time of creation, and a payer for the customer.
SHOWN = {part.name for part in fields(Method)} - {"id", "created_at", "customer_id"}


def mark_due(
    session: Session,
    *payer_ids: str,
    at: datetime,
    why: str | None = "asked",
    scheduled: bool = False,
    afresh: bool = False,
) -> None:
    """Make payers due at that time. `due_values` explains the arguments."""
    values = due_values(at, why=why, scheduled=scheduled, afresh=afresh)
    statements.update_all(session, Payer, Payer.id.in_(payer_ids), Payer.deleted_at.is_(None), **values)


def due_values(
    at: datetime, *, why: str | None, scheduled: bool = False, afresh: bool = False
) -> dict[str, Any]:
    """Return the column values that make payers due at that time.

    They raise the generation, so a convergence that is running knows that another one must follow. With a
    reason, that one asks Stripe; without one, it does so only if the payer's events bring news. Payers that
    are only `scheduled` come after those that an event or a person made due. After a failure, the next try
    keeps its delay unless `afresh` is set. A payer that was given up starts afresh in any case.
    """
    is_given_up = sa.and_(Payer.due_at.is_(None), Payer.attempts > 0)
    is_spaced_out = sa.false() if afresh else sa.and_(Payer.due_at.is_not(None), Payer.attempts > 0)
    begins = sa.true() if afresh else is_given_up
    return {
        "generation": Payer.generation + 1,
        "attempts": sa.case((begins, 0), else_=Payer.attempts),
        "due_at": sa.case(
            (is_spaced_out, Payer.due_at),
            (sa.or_(Payer.due_at.is_(None), Payer.due_at > at), at),
            else_=Payer.due_at,
        ),
        "due_reason": sa.func.coalesce(Payer.due_reason, why),
        "is_priority": Payer.is_priority if scheduled else sa.true(),
    }


def note(session: Session, payer: Payer, kind: str, *, actor: str, **facts: str | None) -> None:
    """Add an entry about a payer to the audit log."""
    audit.note(session, kind, actor=actor, customer_id=payer.customer_id, app_id=payer.app_id, **facts)


def settle_drift(session: Session, *payer_ids: str) -> None:
    """Clear the drift of payers that got events: the news was late, but not lost."""
    statements.update_all(session, Payer, Payer.id.in_(payer_ids), Payer.drift.is_not(None), drift=None)


def activate(session: Session, app_id: str, customer_id: str, stripe_customer_id: str) -> Payer:
    """Return a live payer that binds a customer to a Stripe customer. Flushes.

    An ended payer with the same binding is revived, along with its checkout sessions that may still be open.
    What we know about it is stale. Raises IntegrityError when either customer is bound already.
    """
    payer = session.scalar(
        sa.select(Payer)
        .where(
            Payer.app_id == app_id,
            Payer.customer_id == customer_id,
            Payer.stripe_customer_id == stripe_customer_id,
        )
        .order_by(Payer.deleted_at.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )
    if payer is None:
        signed_up_on = session.get_one(customers.Customer, customer_id).created_at.date()
        payer = Payer(
            app_id=app_id,
            customer_id=customer_id,
            stripe_customer_id=stripe_customer_id,
            signed_up_on=signed_up_on,
        )
        session.add(payer)
    payer.deleted_at = payer.stripe_deleted_at = payer.verified_at = None
    payer.status_until = utcnow()
    session.flush()
    return payer


def upsert_payment_method(
    payer: Payer, method: Method, held: Mapping[tuple[str, str], PaymentMethod]
) -> PaymentMethod:
    """Store what Stripe says about one method of a payer, which may be detached.

    A method of an ended payer moves to the payer that has its Stripe customer now. `held` maps the app and id
    of a method to its row.
    """
    row = next((known for known in payer.methods if known.id == method.id), None)
    if row is None:
        row = held.get((payer.app_id, method.id))
        if row is None:
            row = PaymentMethod(id=method.id, app_id=payer.app_id, created_at=utcnow())
        payer.methods.append(row)
    for name in SHOWN:
        setattr(row, name, getattr(method, name))
    if method.customer_id == payer.stripe_customer_id:
        row.detached_at = None
    elif row.detached_at is None:
        row.detached_at = utcnow()
    return row


def delete_customer(session: Session, customer: customers.Customer, *, actor: str) -> None:
    """Mark a customer and its payers as deleted. Nothing changes at Stripe. Flushes.

    Raises PreconditionFailed when it is deleted already.
    """
    customers.delete(session, customer, actor=actor)
    end(session, Payer.customer_id == customer.id)


def restore_customer(session: Session, customer: customers.Customer, *, actor: str) -> list[Payer]:
    """Restore a deleted customer and the payers that ended with it, which become due. Flushes.

    Return the payers that stay ended, because their app is uninstalled or their Stripe customer is bound to
    another customer now. Raises what `customers.restore` does, and Conflict when someone binds one meanwhile.
    """
    deleted_at = customer.deleted_at
    customers.restore(session, customer, actor=actor)
    ended = session.scalars(
        sa.select(Payer).where(Payer.customer_id == customer.id, Payer.deleted_at >= deleted_at)
    ).all()
    left = [payer for payer in ended if not _may_live(session, payer)]
    for payer in ended:
        if payer not in left:
            payer.deleted_at = None
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise Conflict("Its Stripe customer was bound to another customer just now. Try again.") from error
    for payer in ended:
        if payer not in left:
            mark_due(session, payer.id, at=utcnow())
    return left


def _may_live(session: Session, payer: Payer) -> bool:
    taken = payer.stripe_customer_id and queries.of_stripe_customer(
        session, payer.app_id, payer.stripe_customer_id
    )
    return payer.app.deleted_at is None and not taken


def uninstall(session: Session, app_id: str, *, actor: str) -> None:
    """Uninstall an app and end its payers. Their Stripe customers stay at Stripe. Flushes.

    Raises what `apps.uninstall` does.
    """
    app = apps.uninstall(session, app_id, actor=actor)
    end(session, Payer.app_id == app.id)


def end_gone(session: Session, payer: Payer) -> None:
    """End a payer after Stripe deleted its customer, so that another payer can replace it. Flushes."""
    if payer.stripe_deleted_at is None:  # nobody has told us before
        payer.stripe_deleted_at = utcnow()
        stripe_id = payer.stripe_customer_id
        note(session, payer, "stripe_customer.deleted", actor="stripe", stripe_customer_id=stripe_id)
    session.flush()
    end(session, Payer.id == payer.id)


def allow_attempts(session: Session, payer: Payer, *, actor: str) -> None:
    """Unblock a payer, and count its declines from now on. Does not flush."""
    if payer.blocked_at is not None:
        payer.blocked_at, payer.declines_since = None, utcnow()
        note(session, payer, "payer.allowed", actor=actor)


def open_portal(
    session: Session,
    payer: Payer,
    *,
    configuration_id: str | None = None,
    locale: str | None = None,
    return_url: str | None = None,
) -> PortalSession:
    """Open Stripe's customer portal, where a payer manages its methods. Ends the transaction.

    Raises PreconditionFailed when Stripe has deleted the customer, and what the gateway raises.
    """
    db.end_read(session)
    with apps.record_rejection(session, payer.app):
        try:
            return apps.connect(payer.app).open_portal_session(
                payer.stripe_id,
                configuration_id=configuration_id,
                locale=locale,
                return_url=return_url,
            )
        except StripeRefused as error:
            if "customer" in error.fields:
                raise PreconditionFailed(error.detail) from error
            raise


def end(session: Session, *which: sa.ColumnElement[bool]) -> int:
    """Mark payers as deleted and no longer due, and fence off running convergences. Return how many."""
    values = {"deleted_at": utcnow(), "due_at": None, "lease": None, "leased_until": None}
    return statements.update_all(session, Payer, *which, Payer.deleted_at.is_(None), **values)
