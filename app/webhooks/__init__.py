"""Every Stripe event received, and what became of it."""

from app.webhooks.declines import is_over_limit
from app.webhooks.mending import MAY_BE_IGNORED, MAY_BE_RETRIED, ignore, retry, retry_all_failed
from app.webhooks.models import Event
from app.webhooks.pruning import prune
from app.webhooks.queries import COUNTED, Filter, Received, counts, get, newest_dead, oldest, overdue, page
from app.webhooks.receive import receive, take_listed, unknown
from app.webhooks.sort import close_orphans, sort
from app.webhooks.waiting import Told, dismiss_known, finish, told_of, unfinished

__all__ = [
    "COUNTED",
    "MAY_BE_IGNORED",
    "MAY_BE_RETRIED",
    "Event",
    "Filter",
    "Received",
    "Told",
    "close_orphans",
    "counts",
    "dismiss_known",
    "finish",
    "get",
    "ignore",
    "is_over_limit",
    "newest_dead",
    "oldest",
    "overdue",
    "page",
    "prune",
    "receive",
    "retry",
    "retry_all_failed",
    "sort",
    "take_listed",
    "told_of",
    "unfinished",
    "unknown",
]
