"""Reads of checkout sessions that deserve a name. A session that is only reserved is in none of them."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.checkout.models import CheckoutSession
from app.payers import Payer

IS_OPENED = CheckoutSession.stripe_session_id.is_not(None)


def latest(session: Session, payer_id: str) -> CheckoutSession | None:
    """Return the session that was opened last for a payer."""
    return session.scalar(
        select(CheckoutSession)
        .where(CheckoutSession.payer_id == payer_id, IS_OPENED)
        .order_by(CheckoutSession.created_at.desc(), CheckoutSession.id)
        .limit(1)
        .execution_options(populate_existing=True)
    )


def latest_of(session: Session, payer_ids: Collection[str]) -> dict[str, CheckoutSession]:
    """Return the session that was opened last for each of many payers, by the payers' ids."""
    newest_first = (CheckoutSession.created_at.desc(), CheckoutSession.id)
    ranked = (
        select(
            CheckoutSession.id,
            func.row_number()
            .over(partition_by=CheckoutSession.payer_id, order_by=newest_first)
            .label("rank"),
        )
        .where(CheckoutSession.payer_id.in_(payer_ids), IS_OPENED)
        .subquery()
    )
    opened = session.scalars(
        select(CheckoutSession)
        .where(CheckoutSession.id.in_(select(ranked.c.id).where(ranked.c.rank == 1)))
        .execution_options(populate_existing=True)
    )
    return {found.payer_id: found for found in opened}


def unsettled(session: Session, payer_id: str) -> list[CheckoutSession]:
    """Return the sessions of a payer about which Stripe may still say something new, newest first."""
    return list(
        session.scalars(
            select(CheckoutSession)
            .where(CheckoutSession.payer_id == payer_id, CheckoutSession.settled_at.is_(None), IS_OPENED)
            .order_by(CheckoutSession.created_at.desc(), CheckoutSession.id)
            .execution_options(populate_existing=True)
        )
    )


def payers_with_unsettled(session: Session, app_id: str, *, after: str, limit: int) -> list[str]:
    """Return some payers of an app who have such sessions, in the order of their ids."""
    return list(
        session.scalars(
            select(CheckoutSession.payer_id)
            .join(Payer, Payer.id == CheckoutSession.payer_id)
            .where(
                CheckoutSession.settled_at.is_(None),
                IS_OPENED,
                CheckoutSession.payer_id > after,
                Payer.app_id == app_id,
                Payer.deleted_at.is_(None),
            )
            .distinct()
            .order_by(CheckoutSession.payer_id)
            .limit(limit)
        )
    )


def by_stripe_session(session: Session, stripe_session_id: str) -> CheckoutSession | None:
    """Find the session with this id at Stripe (cs_…)."""
    return session.scalar(
        select(CheckoutSession).where(CheckoutSession.stripe_session_id == stripe_session_id)
    )


def by_setup_intent(session: Session, setup_intent_id: str) -> CheckoutSession | None:
    """Find the session with this SetupIntent (seti_…)."""
    return session.scalar(select(CheckoutSession).where(CheckoutSession.setup_intent_id == setup_intent_id))
