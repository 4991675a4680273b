"""Reads of sign-ups that are worth a name."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import is_id
from app.signup.models import Signup, browser_hash


def of_browser(session: Session, nonce: str | None, customer_id: str | None = None) -> Signup | None:
    """The sign-up of this browser for that customer, else its newest one."""
    if not nonce or (customer_id and not is_id(customer_id)):
        return None
    query = select(Signup).where(Signup.browser_hash == browser_hash(nonce))
    if customer_id:
        query = query.where(Signup.customer_id == customer_id)
    return session.scalar(query.order_by(Signup.created_at.desc()).limit(1))
