"""Asking Stripe now, because a person is waiting for the answer."""

import time

from sqlalchemy.orm import Session

from app import db, payers
from app.sync import leases
from app.sync.converge import Outcome, converge, is_current

PATIENCE = 8.0  # seconds that a person waits while someone else converges the same payer
STEP = 0.05


def refresh(session: Session, payer_id: str) -> bool:
    """Bring a payer up to date with Stripe. True when what we have is Stripe's word of just now.

    A record that is final and fresh is not asked about again. When another is at it already, its result
    is waited for, and shared if it settles the matter. Commits.
    """
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up:
        payer = payers.fresh(session, payer_id)
        current = payer.lease is None and is_current(session, payer)
        session.commit()
        if current:
            return True
        lease = leases.claim(session, payer_id)
        if lease is None:
            time.sleep(STEP)
            continue
        settled = is_current(session, payers.fresh(session, payer_id))  # by whoever had the lease until now
        db.end_read(session)
        if settled:
            leases.release(session, lease)
            return True
        return converge(session, lease) is Outcome.CURRENT
    return False
