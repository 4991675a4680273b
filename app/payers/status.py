"""The payment status: what a person should read. Derived from rows and the clock."""

from calendar import monthrange
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Protocol

from app.payers.models import Payer, PaymentMethod

EXPIRING = timedelta(days=30)


class PaymentStatus(StrEnum):
    """Every state of a customer's payment, in the words of the pages and the API."""

    NONE = "none"
    IN_PROGRESS = "in_progress"
    PROCESSING = "processing"
    NEEDS_ACTION = "needs_action"
    FAILED = "failed"
    SAVED = "saved"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    REMOVED = "removed"
    CUSTOMER_GONE = "customer_gone"
    ABANDONED = "abandoned"


class Attempt(Protocol):
    """The latest hosted page of a payer, as far as the status asks."""

    @property
    def status(self) -> str: ...
    @property
    def setup_status(self) -> str: ...
    @property
    def error_code(self) -> str | None: ...
    @property
    def expires_at(self) -> datetime: ...


def payment_status(payer: Payer | None, attempt: Attempt | None, now: datetime) -> PaymentStatus:
    """Return the status of a payer; `attempt` is its latest checkout session.

    A usable method outweighs the result of a later attempt.
    """
    return status_until(payer, attempt, now)[0]


def status_until(
    payer: Payer | None, attempt: Attempt | None, now: datetime
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


def expires_after(method: PaymentMethod) -> datetime | None:
    """The instant a card stops being valid: the end of the last day of its month, UTC."""
    if not method.exp_month or not method.exp_year:
        return None
    last_day = monthrange(method.exp_year, method.exp_month)[1]
    return datetime(method.exp_year, method.exp_month, last_day, tzinfo=UTC) + timedelta(days=1)


def _of_method(method: PaymentMethod, now: datetime) -> tuple[PaymentStatus, datetime | None]:
    if method.mandate_status == "pending":  # the bank has yet to agree to be debited
        return PaymentStatus.PROCESSING, None
    if method.mandate_status == "inactive":
        return PaymentStatus.FAILED, None
    end = expires_after(method)
    if end is None:
        return PaymentStatus.SAVED, None
    if now < end - EXPIRING:
        return PaymentStatus.SAVED, end - EXPIRING
    return (PaymentStatus.EXPIRING, end) if now < end else (PaymentStatus.EXPIRED, None)


def _of_attempt(attempt: Attempt, now: datetime) -> tuple[PaymentStatus, datetime | None]:
    if attempt.status == "complete":
        # The form is finished: micro-deposits or a mandate are awaited, or have failed since.
        return PaymentStatus.FAILED if attempt.error_code else PaymentStatus.PROCESSING, None
    if attempt.status == "expired" or now >= attempt.expires_at:
        return PaymentStatus.ABANDONED, None
    if attempt.setup_status == "requires_action":
        return PaymentStatus.NEEDS_ACTION, attempt.expires_at
    return PaymentStatus.FAILED if attempt.error_code else PaymentStatus.IN_PROGRESS, attempt.expires_at
