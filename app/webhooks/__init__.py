"""Every Stripe event that we received, and its outcome."""

from app.webhooks.actions import IGNORABLE_STATES, RETRYABLE_STATES, ignore, retry, retry_all_failed
from app.webhooks.declines import is_over_limit
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
    oldest,
    overdue,
)
from app.webhooks.receive import count_unknown, receive, store_listed
from app.webhooks.waiting import EventReferences, dismiss_known, finish, referenced_ids, unfinished

__all__ = [
    "IGNORABLE_STATES",
    "MAX_COUNT",
    "RETRYABLE_STATES",
    "Event",
    "EventReferences",
    "Filter",
    "Received",
    "close_ended",
    "count_unknown",
    "counts",
    "dismiss_known",
    "dispatch",
    "finish",
    "get",
    "ignore",
    "is_over_limit",
    "list_events",
    "newest_failed",
    "oldest",
    "overdue",
    "prune",
    "receive",
    "referenced_ids",
    "retry",
    "retry_all_failed",
    "store_listed",
    "unfinished",
]
