"""Reads of hosted pages, and of whom they are for, that are worth a name."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.checkout.models import CheckoutSession
from app.payers import Payer


def latest(session: Session, payer_id: str) -> CheckoutSession | None:
    """The page that was opened last for a payer."""
    return session.scalar(
        select(CheckoutSession)
        .where(CheckoutSession.payer_id == payer_id)
        .order_by(CheckoutSession.created_at.desc(), CheckoutSession.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )


def latest_of(session: Session, payer_ids: Collection[str]) -> dict[str, CheckoutSession]:
    """For many payers at once, by their ids, the page that was opened last."""
    newest_first = (CheckoutSession.created_at.desc(), CheckoutSession.id)
    ranked = (
        select(
            CheckoutSession.id,
            func.row_number()
            .over(partition_by=CheckoutSession.payer_id, order_by=newest_first)
            .label("rank"),
        )
        .where(CheckoutSession.payer_id.in_(payer_ids))
        .subquery()
    )
    pages = session.scalars(
        select(CheckoutSession)
        .where(CheckoutSession.id.in_(select(ranked.c.id).where(ranked.c.rank == 1)))
        .execution_options(populate_existing=True)
    )
    return {page.payer_id: page for page in pages}


def unsettled(session: Session, payer_id: str) -> list[CheckoutSession]:
    """The pages of a payer of which Stripe may still say something new, newest first."""
    return list(
        session.scalars(
            select(CheckoutSession)
            .where(CheckoutSession.payer_id == payer_id, CheckoutSession.settled_at.is_(None))
            .order_by(CheckoutSession.created_at.desc(), CheckoutSession.id)
            .execution_options(populate_existing=True)
        )
    )


def payers_with_unsettled(session: Session, app_id: str, *, after: str, limit: int) -> list[str]:
    """The payers of an app who have such pages, some of them, in the order of their ids."""
    return list(
        session.scalars(
            select(CheckoutSession.payer_id)
            .join(Payer, Payer.id == CheckoutSession.payer_id)
            .where(
                CheckoutSession.settled_at.is_(None),
                CheckoutSession.payer_id > after,
                Payer.app_id == app_id,
                Payer.deleted_at.is_(None),
            )
            .distinct()
            .order_by(CheckoutSession.payer_id)
            .limit(limit)
        )
    )


def count(session: Session, app_id: str, customer_id: str) -> int:
    """How many pages were opened for a customer in an app so far, with payers that are no more."""
    opened = (
        select(func.count())
        .select_from(CheckoutSession)
        .join(Payer, Payer.id == CheckoutSession.payer_id)
        .where(Payer.app_id == app_id, Payer.customer_id == customer_id)
    )
    return session.scalar(opened) or 0


def by_setup_intent(session: Session, setup_intent_id: str) -> CheckoutSession | None:
    """The page whose SetupIntent (seti_…) this is."""
    return session.scalar(select(CheckoutSession).where(CheckoutSession.setup_intent_id == setup_intent_id))


def is_taken(session: Session, app_id: str, stripe_customer_id: str, *, customer_id: str) -> bool:
    """Does a Stripe customer (cus_…) serve a customer no more, or did it ever stand for another one?"""
    whose = session.execute(
        select(Payer.customer_id, Payer.deleted_at).where(
            Payer.app_id == app_id, Payer.stripe_customer_id == stripe_customer_id
        )
    ).all()
    return any(holder != customer_id or ended_at is not None for holder, ended_at in whose)
