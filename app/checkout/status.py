"""The payment status as it is kept for lists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app import audit, payers
from app.checkout.models import CheckoutSession
from app.checkout.queries import latest, latest_of
from app.payers import PaymentStatus

# The clock brings these about; the others have entries of their own.
TOLD = {PaymentStatus.EXPIRING, PaymentStatus.EXPIRED, PaymentStatus.ABANDONED}


def restate(session: Session, payer: payers.Payer, now: datetime) -> None:
    """Keep a payer's payment status, and until when it holds if nothing but time passes. Flushes nothing.

    To be called after every change of a payer's rows.
    """
    _restate(session, payer, latest(session, payer.id), now)


def restate_many(session: Session, those: Sequence[payers.Payer], now: datetime) -> None:
    """The same for many payers, for whom only time has passed. Flushes nothing."""
    pages = latest_of(session, [payer.id for payer in those])
    for payer in those:
        _restate(session, payer, pages.get(payer.id), now)


def _restate(session: Session, payer: payers.Payer, page: CheckoutSession | None, now: datetime) -> None:
    status, until = payers.status_until(payer, page, now)
    before, payer.status, payer.status_until = payer.status, status.value, until
    if before != status:
        payer.status_since = now if before is not None else payer.created_at or now
    if before not in {None, status} and status in TOLD:
        audit.note(
            session,
            "payment_status.changed",
            actor="worker",
            customer_id=payer.customer_id,
            app_id=payer.app_id,
            before=before,
            after=status.value,
        )
