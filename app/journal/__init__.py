"""The story of each customer: who did what, and what Stripe told us. Only ever added to."""

from app.journal.actions import note
from app.journal.models import Entry
from app.journal.queries import Filter, page

__all__ = ["Entry", "Filter", "note", "page"]
