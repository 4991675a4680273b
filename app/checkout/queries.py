"""Reads checkout sessions. None of these reads finds a session that is only reserved."""

from collections.abc import Collection

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.checkout.models import CheckoutSession
from app.payers import Payer

IS_OPENED = CheckoutSession.stripe_session_id.is_not(None)
IS_UNSETTLED = and_(CheckoutSession.settled_at.is_(None), IS_OPENED)
NEWEST_FIRST = (CheckoutSession.created_at.desc(), CheckoutSession.id)


def latest(session: Session, payer: Payer | None) -> CheckoutSession | None:
    """Return the session that was opened last for a payer, while Stripe has its customer."""
    if payer is None or payer.stripe_deleted_at is not None:
        return None
    return latest_of(session, [payer.id]).get(payer.id)


def latest_of(session: Session, payer_ids: Collection[str]) -> dict[str, CheckoutSession]:
    """Return the session that was opened last for each of many payers, by the payers' ids."""
    ranked = (
        select(
            CheckoutSession.id,
            func.row_number()
            .over(partition_by=CheckoutSession.payer_id, order_by=NEWEST_FIRST)
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
    return unsettled_of(session, [payer_id])[payer_id]


def unsettled_of(session: Session, payer_ids: Collection[str]) -> dict[str, list[CheckoutSession]]:
    """Return those of many payers, by the payers' ids; the newest first."""
    found: dict[str, list[CheckoutSession]] = {payer_id: [] for payer_id in payer_ids}
    for opened in session.scalars(
        select(CheckoutSession)
        .where(CheckoutSession.payer_id.in_(payer_ids), IS_UNSETTLED)
        .order_by(*NEWEST_FIRST)
        .execution_options(populate_existing=True)
    ):
        found[opened.payer_id].append(opened)
    return found


def with_unsettled(session: Session, payer_ids: Collection[str]) -> set[str]:
    """Return which of these payers have such sessions."""
    query = select(CheckoutSession.payer_id).where(CheckoutSession.payer_id.in_(payer_ids), IS_UNSETTLED)
    return set(session.scalars(query.distinct()))


def by_stripe_ids(session: Session, ids: Collection[str]) -> dict[str, CheckoutSession]:
    """Find the sessions with these ids (cs_…) or SetupIntents (seti_…), and return them by these."""
    if not ids:
        return {}
    known = or_(CheckoutSession.stripe_session_id.in_(ids), CheckoutSession.setup_intent_id.in_(ids))
    found = session.scalars(select(CheckoutSession).where(known).execution_options(populate_existing=True))
    named = [(row, id_) for row in found for id_ in (row.stripe_session_id, row.setup_intent_id)]
    return {id_: row for row, id_ in named if id_ is not None and id_ in ids}


def payers_with_unsettled(session: Session, app_id: str, *, after: str, limit: int) -> list[str]:
    """Return some payers of an app who have such sessions, in the order of their ids."""
    return list(
        session.scalars(
            select(CheckoutSession.payer_id)
            .join(Payer, Payer.id == CheckoutSession.payer_id)
            .where(
                IS_UNSETTLED,
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
