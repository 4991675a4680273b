"""Ask Stripe now, because a person waits for the answer."""

import time
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import payers
from app.core import db
from app.core.db import utcnow
from app.gateway import time_left
from app.payers import Payer
from app.sync import payer_leases, throttle
from app.sync.convergence.asking import Outcome
from app.sync.convergence.converge import converge, is_current

MAX_WAIT = 8.0  # seconds; a person waits so long while a worker converges the same payer
TAKEOVER_AFTER = timedelta(seconds=3)  # without a renewal by the lease's holder
MIN_TIME_LEFT = 2.0  # seconds of the page's time budget; do not ask Stripe with less
POLL_INTERVAL = 0.05


def refresh(session: Session, payer_id: str, *, force: bool = False) -> bool:
    """Bring a payer up to date with Stripe. Return True when our record is as fresh as that. Commits.

    Afterwards the payer in this session is as the database has it, but for its lease, so a caller need not
    read it again. That holds also when the page has no time left to ask Stripe.
    Don't ask about a final and fresh record, except by `force`, which fetches in full. When a worker
    converges the payer already, wait for its result. Take over a lease that its holder does not renew. Don't
    ask Stripe while it throttles us, nor about a payer that has ended.
    """
    left = time_left()
    wait = MAX_WAIT if left is None else min(MAX_WAIT, left - MIN_TIME_LEFT)
    give_up, since = time.monotonic() + wait, utcnow()
    while True:
        payer = payers.fresh(session, payer_id)
        is_settled = payer.lease is None and _is_settled(session, payer, since if force else None)
        is_over = payer.deleted_at is not None or throttle.is_throttled(session, payer.app_id)
        session.commit()
        if is_settled or is_over or time.monotonic() >= give_up:
            return is_settled
        lease = payer_leases.claim(session, payer_id, silent_for=TAKEOVER_AFTER)
        if lease is None:
            time.sleep(POLL_INTERVAL)
            continue
        # by the former holder of the lease
        is_settled = _is_settled(session, payers.fresh(session, payer_id), since if force else None)
        db.end_read(session)
        if is_settled:
            payer_leases.release(session, lease)
            return True
        is_current_now = converge(session, lease, cause="visit", full=force) is Outcome.CURRENT
        payers.fresh(session, payer_id)
        db.end_read(session)
        return is_current_now


def _is_settled(session: Session, payer: Payer, since: datetime | None) -> bool:
    """Is Stripe's answer fresh enough? With `since`, it must be from after that time."""
    if since is not None:
        return payer.verified_at is not None and payer.verified_at >= since
    return is_current(session, payer)
