"""Keeping a payer's rows."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.db import utcnow
from app.gateway import Method
from app.payers.models import Payer, PaymentMethod


def mark_due(session: Session, payer_id: str, at: datetime) -> None:
    """Have a payer converged by that time, and tell a convergence under way that it is not the last."""
    session.execute(
        sa.update(Payer)
        .where(Payer.id == payer_id)
        .values(
            hints=Payer.hints + 1,
            due_at=sa.case((sa.or_(Payer.due_at.is_(None), Payer.due_at > at), at), else_=Payer.due_at),
        )
        .execution_options(synchronize_session=False)
    )


def remember(payer: Payer, method: Method) -> PaymentMethod:
    """Keep what Stripe says of one method of a payer; a detached one is kept as detached."""
    row = next((known for known in payer.methods if known.id == method.id), None)
    if row is None:
        row = PaymentMethod(id=method.id, app_id=payer.app_id, created_at=utcnow())
        payer.methods.append(row)
    for name in (
        "type",
        "brand",
        "last4",
        "exp_month",
        "exp_year",
        "country",
        "bank_name",
        "email",
        "wallet",
    ):
        setattr(row, name, getattr(method, name))
    if method.customer_id == payer.stripe_customer_id:
        row.detached_at = None
    elif row.detached_at is None:
        row.detached_at = utcnow()
    return row
