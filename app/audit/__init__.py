"""The story of each customer: who did what, and what Stripe told us. Only ever added to."""

from app.audit.actions import note
from app.audit.models import Entry
from app.audit.queries import Filter, page

__all__ = ["Entry", "Filter", "note", "page"]
