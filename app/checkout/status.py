"""The payment status as it is kept for lists."""

from datetime import datetime

from sqlalchemy.orm import Session

from app import journal, payers
from app.checkout.queries import latest
from app.payers import PaymentStatus

# The clock brings these about; the others have entries of their own.
TOLD = {PaymentStatus.EXPIRING, PaymentStatus.EXPIRED, PaymentStatus.ABANDONED}


def restate(session: Session, payer: payers.Payer, now: datetime) -> None:
    """Keep a payer's payment status, and until when it holds if nothing but time passes. Flushes nothing.

    To be called after every change of a payer's rows, and by the worker when that time has come.
    """
    status, until = payers.status_until(payer, latest(session, payer.id), now)
    before, payer.status, payer.status_until = payer.status, status.value, until
    if before != status:
        payer.status_since = now if before is not None else payer.created_at or now
    if before not in {None, status} and status in TOLD:
        journal.note(
            session,
            "payment_status.changed",
            actor="worker",
            customer_id=payer.customer_id,
            app_id=payer.app_id,
            before=before,
            after=status.value,
        )
