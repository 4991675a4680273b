"""The audit log: who did what, and what Stripe told us. Entries are only added."""

from app.audit.actions import note
from app.audit.models import Entry
from app.audit.queries import Filter, newest_of_customer, page

__all__ = ["Entry", "Filter", "newest_of_customer", "note", "page"]
