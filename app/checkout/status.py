"""The payment status: what a person should read. Derived from rows and the clock, and stored for lists."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app import payers
from app.checkout.models import CheckoutSession
from app.checkout.queries import latest_of
from app.core.db import utcnow
from app.payers import EXPIRING, Payer, PaymentMethod, PaymentStatus


def payment_status(payer: Payer | None, attempt: CheckoutSession | None) -> PaymentStatus:
    """Return the status of a payer now; `attempt` is its latest checkout session.

    A usable method outweighs the result of a later attempt.
    """
    return status_until(payer, attempt, utcnow())[0]


def status_until(
    payer: Payer | None, attempt: CheckoutSession | None, now: datetime
) -> tuple[PaymentStatus, datetime | None]:
    """The payment status, and when the clock alone will change it; None is never."""
    if payer is None:
        return PaymentStatus.NONE, None
    if payer.stripe_deleted_at is not None:
        return PaymentStatus.CUSTOMER_GONE, None
    if payer.default_method is not None:
        return _of_method(payer.default_method, now)
    if attempt is None or attempt.setup_status == "succeeded":
        return PaymentStatus.REMOVED if payer.methods else PaymentStatus.NONE, None
    return _of_attempt(attempt, now)


def restate(session: Session, payer: Payer, attempt: CheckoutSession | None, now: datetime) -> None:
    """Store a payer's payment status, and until when it holds if only time passes. Flushes nothing.

    Call it after every change of a payer's rows, with its latest checkout session as it is now.
    """
    status, until = status_until(payer, attempt, now)
    before, payer.status, payer.status_until = payer.status, status.value, until
    if before != status:
        payer.status_since = now if before is not None else payer.created_at or now
    # What caused the other statuses has its own entry.
    if before not in {None, status} and payers.status_info(status).is_by_clock:
        payers.note(
            session, payer, "payment_status.changed", actor="worker", before=before, after=status.value
        )


def restate_many(session: Session, those: Sequence[Payer], now: datetime) -> None:
    """Do the same for many payers after only time has passed. Flushes nothing."""
    attempts = latest_of(session, [payer.id for payer in those])
    for payer in those:
        restate(session, payer, attempts.get(payer.id), now)


def _of_method(method: PaymentMethod, now: datetime) -> tuple[PaymentStatus, datetime | None]:
    if method.mandate_status == "pending":  # the bank has yet to agree to be debited
        return PaymentStatus.PROCESSING, None
    if method.mandate_status == "inactive":
        return PaymentStatus.FAILED, None
    end = method.expires_at
    if end is None:
        return PaymentStatus.SAVED, None
    if now < end - EXPIRING:
        return PaymentStatus.SAVED, end - EXPIRING
    return (PaymentStatus.EXPIRING, end) if now < end else (PaymentStatus.EXPIRED, None)


def _of_attempt(attempt: CheckoutSession, now: datetime) -> tuple[PaymentStatus, datetime | None]:
    if attempt.status == "complete":
        # The form is finished: micro-deposits or a mandate are awaited, or have failed since.
        return PaymentStatus.FAILED if attempt.error_code else PaymentStatus.PROCESSING, None
    if attempt.status == "expired" or now >= attempt.expires_at:
        return PaymentStatus.ABANDONED, None
    if attempt.setup_status == "requires_action":
        return PaymentStatus.NEEDS_ACTION, attempt.expires_at
    return PaymentStatus.FAILED if attempt.error_code else PaymentStatus.IN_PROGRESS, attempt.expires_at
