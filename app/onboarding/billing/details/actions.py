"""A customer changes its own details: they are stored, and go to Stripe as an operator's changes do."""

from sqlalchemy.orm import Session

from app import customers, payers, sync
from app.core import db
from app.core.errors import Conflict
from app.customers import NewCustomer
from app.onboarding.billing.access import Access
from app.onboarding.billing.actions import ACTOR
from app.sync import SentDetails


class ChangedMeanwhile(Conflict):
    """Somebody changed the customer since the form was drawn."""

    def __init__(self) -> None:
        super().__init__("Somebody else changed these details since you opened the form.")


def change_details(session: Session, access: Access, wanted: NewCustomer, *, seen: str) -> SentDetails | None:
    """Store new details of a customer, and send them to Stripe. None when nothing is new. Commits.

    `seen` is the customer's time of change when the form was drawn. Raises ChangedMeanwhile, also when a
    hand-over locked other fields since the form was read, and PreconditionFailed for a deleted customer.
    """
    customer_id, locked = access.customer.id, access.customer.locked
    db.start_write(session)
    customer = customers.for_change(session, customer_id)
    customers.refuse_deleted(customer)
    if not customers.differences(customer, wanted):
        db.end_read(session)
        return None
    if customer.updated_at.isoformat() != seen or customer.locked != locked:
        raise ChangedMeanwhile
    payers.replace_customer(session, customer, wanted, actor=ACTOR)
    session.commit()
    return sync.send_details(session, customer_id)
