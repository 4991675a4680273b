"""The payer of a customer that was stored a moment ago: nothing is known of it, so nothing is read again."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from app import apps, customers
from app.core import db, rows
from app.core.db import utcnow
from app.payers.models import Payer
from app.payers.reserve import reservation
from app.payers.status import PaymentStatus


def reserve_first(session: Session, app: apps.App, customer_id: str) -> Payer | None:
    """Insert the first payer of a live customer, in one statement. Flushes.

    Return None when there is one already, or the customer was deleted: then `reserve` finds out which.
    """
    db.start_write(session)
    customer = session.get_one(customers.Customer, customer_id)
    payer = Payer(**reservation(app, customer))
    is_live = (customers.Customer.id == customer_id, customers.Customer.deleted_at.is_(None))
    # The lock keeps the customer from being deleted before its payer is there to be ended with it.
    if not rows.insert_if(session, payer, *is_live, lock=True):
        return None
    set_committed_value(payer, "app", app)
    set_committed_value(payer, "customer", customer)
    set_committed_value(payer, "methods", [])
    return payer


def note_first_session(session: Session, payer: Payer, *, due_at: datetime, until: datetime) -> bool:
    """Note that a payer's first checkout session is open until then; look at it again at `due_at`. Flushes.

    Return False when the payer has ended, or anything else was noted of it since it was reserved.
    """
    noted = session.execute(
        sa.update(Payer)
        .where(
            Payer.id == payer.id,
            Payer.status == PaymentStatus.NONE.value,
            Payer.verified_at.is_(None),
            Payer.due_at.is_(None),
            Payer.deleted_at.is_(None),
        )
        .values(
            generation=Payer.generation + 1,
            due_at=due_at,
            status=PaymentStatus.IN_PROGRESS.value,
            status_since=utcnow(),
            status_until=until,
        )
        .returning(*Payer.__table__.columns)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if noted is not None:
        rows.take_over(payer, noted)
    return noted is not None
