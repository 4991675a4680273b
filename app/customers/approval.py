"""Sign-ups that an operator approves before Stripe is opened."""

from sqlalchemy.orm import Session

from app import audit
from app.core.errors import Conflict
from app.customers.actions import refuse_deleted
from app.customers.models import APPROVED, DECLINED, WAITING, Customer


def decide(session: Session, customer: Customer, *, is_approved: bool, actor: str) -> None:
    """Approve or decline a locked customer's sign-up. A declined one may be approved later. Flushes.

    Raises PreconditionFailed for a deleted customer, and Conflict when there is nothing to decide.
    """
    refuse_deleted(customer)
    decision = APPROVED if is_approved else DECLINED
    if customer.approval not in ({WAITING, DECLINED} if is_approved else {WAITING}):
        raise Conflict("Somebody has decided about this sign-up already.")
    customer.approval = decision
    audit.note(session, f"signup.{decision}", actor=actor, customer_id=customer.id)
    session.flush()
