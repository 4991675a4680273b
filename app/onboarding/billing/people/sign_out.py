"""End what every browser is remembered for: a laptop was stolen, or somebody left the company."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import audit, customers
from app.core.database import statements
from app.onboarding.billing.access import end_access
from app.onboarding.billing.codes.stored import is_sent_to
from app.onboarding.billing.models import BillingCode
from app.onboarding.billing.people.actions import people_of
from app.onboarding.models import FORGOTTEN, BillingAccess, Signup, no_browser_hash


def sign_out_everywhere(session: Session, customer: customers.Customer, *, actor: str) -> int:
    """Let no browser open a customer's pages by what it did before. Return how many browsers there were.

    Codes that were sent no longer work. A link, an invitation or a new code gives a browser access again. The
    caller holds a lock on the customer, so that a code that is used meanwhile waits. Flushes.
    """
    ended = set(_forget_signups(session, customer.id))
    ended |= set(end_access(session, BillingAccess.customer_id == customer.id))
    _end_codes(session, customer)
    audit.note(session, "browsers.signed_out", actor=actor, customer_id=customer.id, browsers=str(len(ended)))
    session.flush()
    return len(ended)


def _forget_signups(session: Session, customer_id: str) -> list[str]:
    """Keep each sign-up, so that its form stays used, under a hash that no browser has."""
    remembered = sa.select(Signup.browser_hash).where(
        Signup.customer_id == customer_id, ~Signup.browser_hash.startswith(FORGOTTEN)
    )
    found = list(session.scalars(remembered))
    for held in found:
        is_it = sa.and_(Signup.customer_id == customer_id, Signup.browser_hash == held)
        statements.update_all(session, Signup, is_it, browser_hash=no_browser_hash())
    return found


def _end_codes(session: Session, customer: customers.Customer) -> None:
    addresses = [customer.primary_email, *(person.email for person in people_of(session, customer.id))]
    statements.delete_all(session, BillingCode, is_sent_to(*filter(None, addresses)))
