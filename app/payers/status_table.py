"""Every payment status, and what the console says about it: one table for every page.

To add a status, follow the recipe in `.docs/contributing.md`.
"""

from enum import StrEnum

from app.core.values import frozen


class PaymentStatus(StrEnum):
    """Every state of a customer's payment, by its name on the pages and in the API."""

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


@frozen(kw_only=True)
class StatusInfo:
    """One row of the table. A status with a `concern` is listed on the overview, with its customers."""

    label: str
    tone: str  # neutral, info, success, warning or error
    advice: str = ""  # what it means, and what an operator can do about it
    concern: str | None = None  # the title of these customers on the overview
    method_note: str | None = None  # beside the default payment method, when that is not simply usable
    is_usable: bool = False  # can the default method be charged?
    is_under_way: bool = False  # is the customer, or the bank, still at it?
    waits_for_bank: bool = False  # has the customer done everything, so that no button leads to Stripe?
    is_watched: bool = False  # does the customer's page look again without being asked?
    is_by_clock: bool = False  # does it come by time alone? Then it stands in the audit log only


# The most urgent first: the overview shows them in this order.
STATUS_TABLE: dict[PaymentStatus, StatusInfo] = {
    PaymentStatus.CUSTOMER_GONE: StatusInfo(
        label="Deleted at Stripe",
        tone="error",
        concern="Deleted at Stripe",
        advice="Stripe no longer has these customers. Send a new link so they can start again.",
    ),
    PaymentStatus.FAILED: StatusInfo(
        label="Declined",
        tone="error",
        concern="Declined",
        advice="The bank declined. Send a link so they can try another card.",
        method_note="Can't be debited",
    ),
    PaymentStatus.NEEDS_ACTION: StatusInfo(
        label="3-D Secure unfinished",
        tone="warning",
        concern="3-D Secure unfinished",
        advice="Their bank is waiting for them to confirm. A link takes them back to that step.",
        is_watched=True,
    ),
    PaymentStatus.REMOVED: StatusInfo(
        label="Removed",
        tone="error",
        concern="Removed",
        advice="Their payment method was removed at Stripe, so nothing can be charged. Send a link.",
    ),
    PaymentStatus.EXPIRED: StatusInfo(
        label="Expired",
        tone="error",
        concern="Expired",
        advice="Nothing can be charged. Send a link so they can save a new card.",
        method_note="Expired",
        is_by_clock=True,
    ),
    PaymentStatus.EXPIRING: StatusInfo(
        label="Expires soon",
        tone="warning",
        concern="Expiring soon",
        advice="These expire within 30 days. Ask for a new card in time.",
        method_note="Expires soon",
        is_usable=True,
        is_by_clock=True,
    ),
    PaymentStatus.ABANDONED: StatusInfo(
        label="Abandoned",
        tone="warning",
        concern="Abandoned",
        advice="They left Stripe's page before finishing, and it expired. Send a link to bring them back.",
        is_by_clock=True,
    ),
    PaymentStatus.PROCESSING: StatusInfo(
        label="Waiting for the bank",
        tone="info",
        method_note="Not confirmed yet",
        is_under_way=True,
        waits_for_bank=True,
    ),
    PaymentStatus.IN_PROGRESS: StatusInfo(
        label="On Stripe's page", tone="info", is_under_way=True, is_watched=True
    ),
    PaymentStatus.NONE: StatusInfo(
        label="Not started",
        tone="neutral",
        advice="There is a Stripe customer, but no payment method was saved. Make a link and send it.",
    ),
    PaymentStatus.SAVED: StatusInfo(label="Saved", tone="success", is_usable=True),
}


def status_info(status: str) -> StatusInfo:
    """Return the row of a status. One that only old database rows have gets a neutral row."""
    if status in set(PaymentStatus):
        return STATUS_TABLE[PaymentStatus(status)]
    return StatusInfo(label=status.replace("_", " ").capitalize(), tone="neutral")
