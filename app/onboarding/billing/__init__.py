"""A customer's own page: its payment methods, what may be done with them, and who may open it."""

from app.onboarding.billing.access import Access, find, way_in
from app.onboarding.billing.models import Way

__all__ = ["Access", "Way", "find", "way_in"]
