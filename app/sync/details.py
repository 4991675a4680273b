"""Send Stripe new details at once, because the person who changed them waits."""

from sqlalchemy.orm import Session

from app import payers
from app.core.values import frozen
from app.sync.refresh import refresh


@frozen
class SentDetails:
    """How Stripe received a customer's new details."""

    is_sent: bool  # Stripe has them, or has refused them
    refusal: str | None  # Stripe's message


def send_details(session: Session, customer_id: str) -> SentDetails:
    """Send what is due of a customer's details in every app. Commits.

    What Stripe does not answer to stays due, and a worker sends it later.
    """
    refusals: list[str] = []
    is_sent = True
    for payer in [each for each in payers.all_of_customer(session, customer_id) if each.is_contact_due]:
        refresh(session, payer.id)
        is_sent = is_sent and not payer.is_contact_due
        refusals += [payer.contact_refusal] if payer.contact_refusal else []
    return SentDetails(is_sent, next(iter(refusals), None))
