"""A customer's own page: its payment methods, what may be done with them, and who may open it."""

from app.onboarding.billing.access import Access, find, let_in
from app.onboarding.billing.models import Way
from app.onboarding.billing.people.actions import (
    PersonKnown,
    TooManyPeople,
    invitation_url,
    invite,
    people_of,
    remove_person,
)
from app.onboarding.billing.people.mail import send_invitation
from app.onboarding.billing.people.sign_out import sign_out_everywhere

__all__ = [
    "Access",
    "PersonKnown",
    "TooManyPeople",
    "Way",
    "find",
    "invitation_url",
    "invite",
    "let_in",
    "people_of",
    "remove_person",
    "send_invitation",
    "sign_out_everywhere",
]
