"""Reads payers."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from app import apps, customers
from app.core.errors import NotFound, PreconditionFailed
from app.payers.models import Payer, PaymentMethod

APP = joinedload(Payer.app, innerjoin=True)
WHOLE = (APP, joinedload(Payer.customer, innerjoin=True))
WITHOUT_SUBJECTS = WHOLE[1].lazyload(customers.Customer.subjects)  # the customer without its subject keys
OTHER = aliased(Payer)  # made once: each alias adapts all columns, which takes longer than its query


def of_customer(session: Session, app_id: str, customer_id: str) -> Payer | None:
    """Return the live payer of a customer in an app, if any."""
    return session.scalar(
        select(Payer)
        .where(Payer.app_id == app_id, Payer.customer_id == customer_id, Payer.deleted_at.is_(None))
        .options(*WHOLE)
        .execution_options(populate_existing=True)
    )


def all_of_customer(session: Session, customer_id: str) -> list[Payer]:
    """Return the live payers of a customer in all apps, the oldest first."""
    query = select(Payer).where(Payer.customer_id == customer_id, Payer.deleted_at.is_(None)).options(APP)
    return list(session.scalars(query.order_by(Payer.id)))


def in_default_app(session: Session, customer_id: str) -> Payer:
    """Return a customer's payer in the default app. Raises PreconditionFailed without a Stripe customer."""
    payer = of_customer(session, default_app(session).id, customer_id)
    if payer is None or payer.stripe_customer_id is None:
        raise PreconditionFailed(f"Customer {customer_id} has no Stripe customer.")
    return payer


def default_app(session: Session) -> apps.App:
    """Return the default app. Raises PreconditionFailed when there is none."""
    try:
        return apps.find(session)
    except NotFound as error:
        raise PreconditionFailed(error.detail) from error


def of_stripe_customer(session: Session, app_id: str, stripe_customer_id: str) -> Payer | None:
    """Return the live payer of a Stripe customer (cus_…)."""
    return session.scalar(
        select(Payer).where(
            Payer.app_id == app_id,
            Payer.stripe_customer_id == stripe_customer_id,
            Payer.deleted_at.is_(None),
        )
    )


def of_stripe_customers(session: Session, those: Collection[tuple[str, str]]) -> list[Payer]:
    """Return the live payers of Stripe customers, given as pairs of app and cus_…, with their customers."""
    if not those:
        return []
    query = select(Payer).where(
        Payer.app_id.in_({app_id for app_id, _ in those}),
        Payer.stripe_customer_id.in_({stripe_customer_id for _, stripe_customer_id in those}),
        Payer.deleted_at.is_(None),
    )
    return list(session.scalars(query.options(WITHOUT_SUBJECTS).execution_options(populate_existing=True)))


def may_have(
    app_id: ColumnElement[str], stripe_customer_id: ColumnElement[str], customer_id: ColumnElement[str]
) -> ColumnElement[bool]:
    """Return a condition: does a live payer have this Stripe customer (cus_…), or may one have it soon?

    `customer_id` is our customer that Stripe's metadata names, or NULL. A payer is reserved before Stripe
    creates its customer, so each payer either has its Stripe customer or is still reserved.
    """
    live = select(Payer.id).where(Payer.app_id == app_id, Payer.deleted_at.is_(None))
    reserved = live.where(Payer.customer_id == customer_id, Payer.stripe_customer_id.is_(None))
    return or_(live.where(Payer.stripe_customer_id == stripe_customer_id).exists(), reserved.exists())


def methods(session: Session, those: Collection[tuple[str, str]]) -> dict[tuple[str, str], PaymentMethod]:
    """Return payment methods by their apps and ids (pm_…), with their payers."""
    if not those:
        return {}
    query = select(PaymentMethod).where(
        PaymentMethod.app_id.in_({app_id for app_id, _ in those}),
        PaymentMethod.id.in_({method_id for _, method_id in those}),
    )
    found = session.scalars(query.options(joinedload(PaymentMethod.payer, innerjoin=True)))
    return {(method.app_id, method.id): method for method in found}


def of_another(payer: Payer, stripe_customer_id: str) -> Select[str]:
    """Select the payers that ever bound a Stripe customer (cus_…) to a customer other than a payer's.

    That Stripe customer may have the other customer's methods.
    """
    return select(OTHER.id).where(
        OTHER.app_id == payer.app_id,
        OTHER.stripe_customer_id == stripe_customer_id,
        OTHER.customer_id != payer.customer_id,
    )


def fresh_many(session: Session, payer_ids: Collection[str]) -> list[Payer]:
    """Read payers again from the database, with their apps, customers and methods."""
    query = select(Payer).where(Payer.id.in_(payer_ids)).order_by(Payer.id)
    query = query.options(APP, WITHOUT_SUBJECTS)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def locked(session: Session, payer_ids: Collection[str], *, skip_locked: bool) -> list[Payer]:
    """Lock payers for a change, and return them with apps, customers and methods.

    With `skip_locked`, payers that someone else is changing are left out.
    """
    query = select(Payer).where(Payer.id.in_(payer_ids)).order_by(Payer.id)
    query = query.options(*WHOLE).with_for_update(of=Payer, skip_locked=skip_locked)
    return list(session.scalars(query.execution_options(populate_existing=True)))


def lock(session: Session, payer_ids: Collection[str]) -> None:
    """Lock payers in a fixed order, so that two transactions can't wait for each other.

    Rows that refer to them can still be written: an event that names its payer takes a share lock.
    """
    which = select(Payer.id).where(Payer.id.in_(payer_ids)).order_by(Payer.id)
    session.scalars(which.with_for_update(key_share=True)).all()


def fresh(session: Session, payer_id: str, *, lock: bool = False) -> Payer:
    """Read a payer again, with its app, customer and methods, and lock it if asked."""
    of_payer: Any = {"of": Payer} if lock else None
    return session.get_one(Payer, payer_id, options=WHOLE, populate_existing=True, with_for_update=of_payer)
