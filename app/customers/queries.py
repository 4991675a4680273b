"""Reads of customers that are worth a name."""

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.customers.models import Customer, SubjectKey


def holders(session: Session, *, key: str | None, subject_keys: Collection[str]) -> set[str]:
    """The ids of the live customers that stand in the way of these names.

    A key may be no one's key, no customer's id (even a deleted one's) and no one's subject key; a subject
    key may be no one's subject key, but it may be somebody's key. That is OpenMeter's rule.
    """
    taken = set(
        session.scalars(
            sa.select(SubjectKey.customer_id).where(
                SubjectKey.deleted_at.is_(None),
                SubjectKey.key.in_({*subject_keys, *([key] if key else [])}),
            )
        )
    )
    if key:
        taken.update(
            session.scalars(
                sa.select(Customer.id).where(
                    sa.or_(sa.and_(Customer.key == key, Customer.deleted_at.is_(None)), Customer.id == key)
                )
            )
        )
    return taken
