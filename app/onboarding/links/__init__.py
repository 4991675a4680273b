"""Onboarding links: our own address for one customer, that outlives Stripe's pages."""

from app.onboarding.links.actions import (
    HANDOVER,
    create,
    note_opened,
    note_used,
    random_token,
    renew,
    revoke,
    token_of_form,
    url,
)
from app.onboarding.links.models import LinkState, OnboardingLink
from app.onboarding.links.queries import app_of, find, newest_of, of_customer, profile_of, profiles_of

__all__ = [
    "HANDOVER",
    "LinkState",
    "OnboardingLink",
    "app_of",
    "create",
    "find",
    "newest_of",
    "note_opened",
    "note_used",
    "of_customer",
    "profile_of",
    "profiles_of",
    "random_token",
    "renew",
    "revoke",
    "token_of_form",
    "url",
]
