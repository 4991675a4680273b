"""The payment status, stored for lists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app import payers
from app.checkout.models import CheckoutSession
from app.checkout.queries import latest, latest_of


def restate(session: Session, payer: payers.Payer, now: datetime) -> None:
    """Store a payer's payment status, and until when it holds if only time passes. Flushes nothing.

    Call it after every change of a payer's rows.
    """
    restate_by(session, payer, latest(session, payer.id), now)


def restate_many(session: Session, those: Sequence[payers.Payer], now: datetime) -> None:
    """Do the same for many payers after only time has passed. Flushes nothing."""
    attempts = latest_of(session, [payer.id for payer in those])
    for payer in those:
        restate_by(session, payer, attempts.get(payer.id), now)


def restate_by(session: Session, payer: payers.Payer, attempt: CheckoutSession | None, now: datetime) -> None:
    """Do the same by a payer's latest checkout session, as it is now."""
    status, until = payers.status_until(payer, attempt, now)
    before, payer.status, payer.status_until = payer.status, status.value, until
    if before != status:
        payer.status_since = now if before is not None else payer.created_at or now
    # What caused the other statuses has its own entry.
    if before not in {None, status} and payers.status_info(status).is_by_clock:
        payers.note(
            session, payer, "payment_status.changed", actor="worker", before=before, after=status.value
        )
