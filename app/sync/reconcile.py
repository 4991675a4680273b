"""Looking at those of whom nothing was heard, and telling of what a timer found and no event told."""

from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app import audit
from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.payers import Payer
from app.sync import pace, schedule
from app.sync.models import Pace

log = structlog.get_logger("gangway.reconcile")

EVERY = timedelta(minutes=1)
BATCH = 100  # of each app, each time: a million in a week, at a tenth of what Stripe allows
AGAIN = timedelta(days=1)  # for whoever can't be verified
ON_ITS_WAY = timedelta(minutes=5)  # what a timer finds first may have an event that is only late


def verify(session: Session) -> int:
    """Mark some payers due that were not compared with Stripe for long. Asks nothing; commits. How many."""
    now = utcnow()
    overdue = sa.select(Payer.id).where(
        Payer.deleted_at.is_(None), Payer.gone_at.is_(None), Payer.verify_at <= now, Payer.due_at.is_(None)
    )
    is_time = sa.or_(Pace.verified_at.is_(None), Pace.verified_at <= now - EVERY)
    app_id = session.scalar(
        sa.select(App.id)
        .outerjoin(Pace, Pace.app_id == App.id)
        .where(pace.may_ask(now), is_time, overdue.where(Payer.app_id == App.id).exists())
        .limit(1)
    )
    db.end_read(session)
    if app_id is None:
        return 0
    db.start_write(session)
    ids: list[str] = []
    if pace.take_verification(session, app_id, now, every=EVERY):
        chosen = overdue.where(Payer.app_id == app_id).order_by(Payer.verify_at).limit(BATCH)
        ids = list(session.scalars(chosen.with_for_update(skip_locked=True)))
        session.execute(
            sa.update(Payer)
            .where(Payer.id.in_(ids))
            .values(verify_at=now + AGAIN)
            .execution_options(synchronize_session=False)
        )
        for payer_id in ids:
            schedule.look_within(session, payer_id, EVERY, why="verify")
    session.commit()
    return len(ids)


def tell_drift(session: Session) -> int:
    """Count, and note in the audit log, what only timers found: webhooks are broken. Commits. How many."""
    now = utcnow()
    drifted = sa.select(Payer).where(Payer.drift.is_not(None), Payer.verified_at <= now - ON_ITS_WAY)
    is_any = session.scalar(drifted.with_only_columns(Payer.id).limit(1)) is not None
    db.end_read(session)
    if not is_any:
        return 0
    db.start_write(session)
    found = session.scalars(
        drifted.limit(BATCH)
        .with_for_update(skip_locked=True, of=Payer)
        .execution_options(populate_existing=True)
    ).all()
    for payer in found:
        log.warning("drift", payer=payer.id, found=payer.drift)
        audit.note(
            session,
            "sync.drift",
            actor="worker",
            customer_id=payer.customer_id,
            app_id=payer.app_id,
            found=payer.drift,
        )
        payer.drift = None
    session.flush()
    for app_id in sorted({payer.app_id for payer in found}):
        pace.count_drifts(session, app_id, sum(payer.app_id == app_id for payer in found))
    session.commit()
    return len(found)
