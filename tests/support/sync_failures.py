"""Failures at Stripe, and how long a payer waits after them."""

from datetime import timedelta

from app.core.db import utcnow
from tests.support.people import Person

MAX_ATTEMPTS = 15


def wait_of(person: Person) -> timedelta:
    """How long it is until the next try."""
    due_at = person.payer.due_at
    assert due_at is not None
    return due_at - utcnow()
