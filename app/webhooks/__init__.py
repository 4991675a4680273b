"""Every Stripe event that we received, and its outcome."""

from app.webhooks.actions import IGNORABLE_STATES, RETRYABLE_STATES, ignore, retry, retry_all_failed
from app.webhooks.decline_limit import over_limit
from app.webhooks.dispatch import close_ended, dispatch
from app.webhooks.models import Event
from app.webhooks.pruning import prune
from app.webhooks.queries import (
    MAX_COUNT,
    Filter,
    Received,
    counts,
    get,
    list_events,
    newest_failed,
    newest_of_customer,
    oldest,
    overdue,
)
from app.webhooks.store import count_unknown, store_listed
from app.webhooks.store_new import new_arrivals
from app.webhooks.waiting import KNOWN, Unfinished, finish, unfinished, unfinished_of

__all__ = [
    "IGNORABLE_STATES",
    "KNOWN",
    "MAX_COUNT",
    "RETRYABLE_STATES",
    "Event",
    "Filter",
    "Received",
    "Unfinished",
    "close_ended",
    "count_unknown",
    "counts",
    "dispatch",
    "finish",
    "get",
    "ignore",
    "list_events",
    "new_arrivals",
    "newest_failed",
    "newest_of_customer",
    "oldest",
    "over_limit",
    "overdue",
    "prune",
    "retry",
    "retry_all_failed",
    "store_listed",
    "unfinished",
    "unfinished_of",
]
