"""What time alone changes: the payment status that is kept for lists."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import checkout, payers
from app.core import db
from app.core.db import utcnow
from app.payers import Payer, PaymentStatus
from app.sync import schedule

BATCH = 100
SPREAD = timedelta(hours=1)  # cards begin to expire by the thousand in one instant, the end of a month
GRACE = timedelta(hours=2)  # what Stripe has not told by then is announced as we know it


def pass_time(session: Session) -> int:
    """Restate the payers whose status time has changed, a batch of them. Asks Stripe nothing; commits.

    Returns how many there were. Rows that another worker has in hand are stepped over.
    """
    now = utcnow()
    passed = sa.select(Payer).where(Payer.deleted_at.is_(None), Payer.status_until <= now)
    is_any = session.scalar(passed.with_only_columns(Payer.id).limit(1)) is not None
    db.end_read(session)
    if not is_any:
        return 0
    db.start_write(session)
    found = session.scalars(
        passed.order_by(Payer.status_until)
        .limit(BATCH)
        .with_for_update(skip_locked=True, of=Payer)
        .execution_options(populate_existing=True)
    ).all()
    to_ask = [payer for payer in found if _may_have_been_renewed(payer, now)]
    checkout.restate_many(session, [payer for payer in found if payer not in to_ask], now)
    for payer in to_ask:
        payer.status_until = now + GRACE
        schedule.look_within(session, payer.id, SPREAD, why="expiring")
    session.commit()
    return len(found)


def _may_have_been_renewed(payer: Payer, now: datetime) -> bool:
    """Is a card about to be announced as expiring that Stripe was not asked about? Networks renew cards."""
    method, until = payer.default_method, payer.status_until
    end = payers.expires_after(method) if method else None
    if payer.status != PaymentStatus.SAVED or end is None or until is None or now >= end:
        return False
    begin = end - payers.EXPIRING
    was_asked = payer.verified_at is not None and payer.verified_at >= begin
    return until <= begin and not was_asked
