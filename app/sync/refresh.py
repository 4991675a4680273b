"""Asking Stripe now, because a person is waiting for the answer."""

import time
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app import payers
from app.core import db
from app.core.db import utcnow
from app.gateway import time_left
from app.payers import Payer
from app.sync import leases, pace
from app.sync.converge import Outcome, converge, is_current

PATIENCE = 8.0  # seconds that a person waits while someone else converges the same payer
TAKE_OVER_AFTER = timedelta(seconds=3)  # without a sign of life of whoever does
ENOUGH_TO_ASK = 2.0  # seconds; with less of a page's budget left, Stripe is not asked any more
STEP = 0.05


def refresh(session: Session, payer_id: str, *, force: bool = False) -> bool:
    """Bring a payer up to date with Stripe. True when what we have is Stripe's word of just now.

    A record that is final and fresh is not asked about again, unless by force, which asks about everything.
    When another is at it already, its result is waited for, and shared if it settles the matter; one that
    gives no sign of life was killed or is slow, and loses its lease. While Stripe has asked to be left alone,
    it is; and nothing is asked about a payer that has ended. Commits.
    """
    left = time_left()
    patience = PATIENCE if left is None else min(PATIENCE, left - ENOUGH_TO_ASK)
    give_up, since = time.monotonic() + patience, utcnow()
    while time.monotonic() < give_up:
        payer = payers.fresh(session, payer_id)
        is_settled = payer.lease is None and _is_settled(session, payer, since if force else None)
        is_over = payer.deleted_at is not None or pace.is_throttled(session, payer.app_id)
        session.commit()
        if is_settled or is_over:
            return is_settled
        lease = leases.claim(session, payer_id, silent_for=TAKE_OVER_AFTER)
        if lease is None:
            time.sleep(STEP)
            continue
        # by whoever had the lease until now
        is_settled = _is_settled(session, payers.fresh(session, payer_id), since if force else None)
        db.end_read(session)
        if is_settled:
            leases.release(session, lease)
            return True
        return converge(session, lease, cause="visit", is_whole=force) is Outcome.CURRENT
    return False


def _is_settled(session: Session, payer: Payer, since: datetime | None) -> bool:
    """Need Stripe not be asked? Whoever forces is content with an answer that was asked for since then."""
    if since is not None:
        return payer.verified_at is not None and payer.verified_at >= since
    return is_current(session, payer)
