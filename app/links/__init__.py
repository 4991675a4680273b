"""Onboarding links: our own address for one customer, that outlives Stripe's pages."""

from app.links.actions import create, note_opened, note_used, renew, revoke, url
from app.links.models import LinkState, OnboardingLink
from app.links.queries import find, of_customer

__all__ = [
    "LinkState",
    "OnboardingLink",
    "create",
    "find",
    "note_opened",
    "note_used",
    "of_customer",
    "renew",
    "revoke",
    "url",
]
