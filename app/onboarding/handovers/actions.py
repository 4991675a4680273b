"""Using a hand-over."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import audit
from app.core import db
from app.core.db import utcnow
from app.onboarding.handovers.models import HandoverUse
from app.onboarding.handovers.signing_secrets import note_used
from app.onboarding.handovers.tokens import USED, Handover, HandoverRefused


def claim(session: Session, handover: Handover, *, customer_id: str, browser_hash: str) -> None:
    """Use a hand-over for a customer, in the transaction that stores or admits the customer. Flushes.

    A single-use one lets in one browser, to one customer, however often it sends the form. The primary key
    decides between two browsers. Raises HandoverRefused.
    """
    is_first = True
    if handover.details.single_use:
        row = {
            "fingerprint": handover.fingerprint,
            "customer_id": customer_id,
            "browser_hash": browser_hash,
            "used_at": utcnow(),
        }
        made = session.execute(
            db.insert(session, HandoverUse)
            .values(row)
            .on_conflict_do_nothing()
            .returning(HandoverUse.fingerprint)
        ).all()
        is_first = bool(made)
        used = session.get_one(HandoverUse, handover.fingerprint, populate_existing=True)
        if (used.customer_id, used.browser_hash) != (customer_id, browser_hash):
            raise HandoverRefused(USED, "The token was used before.")
    if handover.secret_id is not None:
        note_used(session, handover.secret_id)
    if is_first:
        audit.note(session, "handover.used", actor=handover.actor, customer_id=customer_id)
    session.flush()


def used_by(session: Session, handover: Handover) -> HandoverUse | None:
    """Return the use of a single-use hand-over, if there was one. Changes nothing."""
    query = sa.select(HandoverUse).where(HandoverUse.fingerprint == handover.fingerprint)
    return session.scalar(query.execution_options(populate_existing=True))
