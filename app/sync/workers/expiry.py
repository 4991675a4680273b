"""Update the stored payment statuses that change as time passes."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import checkout, payers
from app.core import db
from app.core.db import utcnow
from app.payers import Payer, PaymentStatus
from app.sync import schedule

BATCH_SIZE = 100
SPREAD = timedelta(hours=1)  # thousands of cards expire at the end of a month
RENEWAL_GRACE = timedelta(hours=2)  # then announce the expiry, whatever Stripe has said


def update_expired(session: Session) -> int:
    """Update a batch of payers with an outdated status, without asking Stripe. Return how many. Commits.

    Skip rows that another worker has locked.
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
        .limit(BATCH_SIZE)
        .with_for_update(skip_locked=True, of=Payer)
        .execution_options(populate_existing=True)
    ).all()
    to_ask = [payer for payer in found if _may_have_been_renewed(payer, now)]
    checkout.restate_many(session, [payer for payer in found if payer not in to_ask], now)
    for payer in to_ask:
        payer.status_until = now + RENEWAL_GRACE
        schedule.check_within(session, payer.id, SPREAD, why="expiring")
    session.commit()
    return len(found)


def _may_have_been_renewed(payer: Payer, now: datetime) -> bool:
    """Should we ask Stripe before we announce the expiry? Card networks renew cards."""
    method, until = payer.default_method, payer.status_until
    end = method.expires_at if method else None
    if payer.status != PaymentStatus.SAVED or end is None or until is None or now >= end:
        return False
    begin = end - payers.EXPIRING
    was_asked = payer.verified_at is not None and payer.verified_at >= begin
    return until <= begin and not was_asked
