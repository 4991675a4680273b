"""A customer that another operator deleted while somebody was editing it."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import audit, payers
from app.console.common import actors
from app.console.customer.changes import actions
from app.core import db
from app.core.values import frozen
from app.customers import Customer


@frozen
class Deletion:
    """Who deleted a customer, and when."""

    by: str | None
    at: datetime


def find(session: Session, customer: Customer) -> Deletion:
    """Who deleted a customer, according to the audit log."""
    entry = audit.Entry
    query = sa.select(entry).where(entry.customer_id == customer.id, entry.kind == "customer.deleted")
    last = session.scalar(query.order_by(entry.id.desc()).limit(1))
    assert customer.deleted_at is not None
    return Deletion(actors.names(session, [last.actor])[last.actor] if last else None, customer.deleted_at)


def restore(session: Session, customer: Customer, seen: str | None, *, actor: str) -> str | None:
    """Restore a deleted customer. Commits. Raises CustomerTaken after a rollback.

    `seen` says when the customer had last been changed as a form was drawn. Returns what that form may say
    now: to restore a customer is no change that it has to be compared with.
    """
    customer_id = customer.id
    db.start_write(session)
    found = actions.find(session, customer_id, lock=True)
    is_as_seen = seen == found.updated_at.isoformat()
    if found.deleted_at is not None:
        payers.restore_customer(session, found, actor=actor)
    session.commit()
    return actions.find(session, customer_id).updated_at.isoformat() if is_as_seen else seen
