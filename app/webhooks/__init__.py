"""Every Stripe event received, and what became of it."""

from app.webhooks.actions import dismiss_known, finish, methods_told_of, receive, sort, waiting
from app.webhooks.models import Event

__all__ = ["Event", "dismiss_known", "finish", "methods_told_of", "receive", "sort", "waiting"]
