"""Compare payers without news with Stripe, and report changes that no event told us about."""

from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from app import payers
from app.apps import App
from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.payers import Payer
from app.sync import schedule, throttle
from app.sync.models import RateBudget

log = structlog.get_logger("gangway.reconcile")

VERIFICATION_INTERVAL = timedelta(minutes=1)
BATCH_SIZE = 100  # of each app in each interval: a million in a week, a tenth of what Stripe allows
REVERIFY_AFTER = timedelta(days=1)  # for a payer that we could not verify
DRIFT_DELAY = timedelta(minutes=5)  # the event of such a change may only be late


def schedule_verifications(session: Session) -> int:
    """Make payers due that we have not compared with Stripe for long. Return how many. Commits."""
    now = utcnow()
    overdue = sa.select(Payer.id).where(
        Payer.deleted_at.is_(None),
        Payer.stripe_deleted_at.is_(None),
        Payer.verify_at <= now,
        Payer.due_at.is_(None),
    )
    is_time = sa.or_(RateBudget.verified_at.is_(None), RateBudget.verified_at <= now - VERIFICATION_INTERVAL)
    app_id = session.scalar(
        sa.select(App.id)
        .outerjoin(RateBudget, RateBudget.app_id == App.id)
        .where(throttle.may_call(now), is_time, overdue.where(Payer.app_id == App.id).exists())
        .limit(1)
    )
    db.end_read(session)
    if app_id is None:
        return 0
    db.start_write(session)
    ids: list[str] = []
    if throttle.start_verification(session, app_id, now, every=VERIFICATION_INTERVAL):
        chosen = overdue.where(Payer.app_id == app_id).order_by(Payer.verify_at).limit(BATCH_SIZE)
        ids = list(session.scalars(chosen.with_for_update(skip_locked=True)))
        statements.update_all(session, Payer, Payer.id.in_(ids), verify_at=now + REVERIFY_AFTER)
        for payer_id in ids:
            schedule.check_within(session, payer_id, VERIFICATION_INTERVAL, why="verify")
    session.commit()
    return len(ids)


def report_drift(session: Session) -> int:
    """Log and count changes that only timers found: webhooks are broken. Return how many. Commits."""
    now = utcnow()
    drifted = sa.select(Payer).where(Payer.drift.is_not(None), Payer.verified_at <= now - DRIFT_DELAY)
    is_any = session.scalar(drifted.with_only_columns(Payer.id).limit(1)) is not None
    db.end_read(session)
    if not is_any:
        return 0
    db.start_write(session)
    found = session.scalars(
        drifted.limit(BATCH_SIZE)
        .with_for_update(skip_locked=True, of=Payer)
        .execution_options(populate_existing=True)
    ).all()
    for payer in found:
        log.warning("drift", payer=payer.id, found=payer.drift)
        payers.note(session, payer, "sync.drift", actor="worker", found=payer.drift)
        payer.drift = None
    session.flush()
    for app_id in sorted({payer.app_id for payer in found}):
        throttle.count_drifts(session, app_id, sum(payer.app_id == app_id for payer in found))
    session.commit()
    return len(found)
