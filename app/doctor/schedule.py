"""Examine every app each hour, and soon after signs of trouble."""

from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import apps, outbox, sync
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.doctor import actions
from app.doctor.models import ExaminationSchedule
from app.doctor.snapshot import LATE_AFTER

log = structlog.get_logger("gangway.doctor")

EXAMINATION_INTERVAL = timedelta(hours=1)
NO_ANSWER = "answer"  # the code of the finding that Stripe did not answer
MIN_INTERVAL = timedelta(minutes=5)  # at least so long between two examinations


def examine_due(session: Session) -> int:
    """Examine the due apps. Return how many. Commits.

    Claim each app before asking Stripe, so only one worker examines it. If that worker dies, the app waits
    for the next hour.
    """
    claimed = [app.id for app in apps.installed(session) if _claim(session, app)]
    for app_id in claimed:
        try:
            examination = actions.run(session, apps.by_id(session, app_id), actor=actions.WORKER)
            if any(found.code == NO_ANSWER for found in actions.findings_of(examination)):
                session.get_one(ExaminationSchedule, app_id).due_at = utcnow() + MIN_INTERVAL
            session.commit()
        except (AppError, SQLAlchemyError):
            session.rollback()
            log.exception("examination_failed", app=app_id)
    return len(claimed)


def _claim(session: Session, app: apps.App) -> bool:
    """Claim an app that is due by time or by new signs of trouble. Commits."""
    now, signs, app_id = utcnow(), _signs(session, app), app.id
    row = session.get(ExaminationSchedule, app_id, populate_existing=True)
    last = actions.latest(session, app_id)
    is_odd = row is not None and row.signs != signs
    is_rested = last is None or last.at <= now - MIN_INTERVAL
    is_due = row is None or row.due_at <= now or (is_odd and is_rested)
    seen = row.due_at if row is not None else None
    db.end_read(session)
    if not is_due:
        return False
    table, due_at = ExaminationSchedule, now + EXAMINATION_INTERVAL
    db.start_write(session)
    taken = session.scalar(
        db.insert(session, table)
        .values(app_id=app_id, due_at=due_at, signs=signs)
        .on_conflict_do_update(
            index_elements=["app_id"],
            set_={"due_at": due_at, "signs": signs},
            where=sa.false() if seen is None else table.due_at == seen,
        )
        .returning(table.app_id)
    )
    session.commit()
    return taken is not None


def _signs(session: Session, app: apps.App) -> str:
    """Return signs that change with trouble: a rejected key, failing calls, missing events, late email."""
    backfill, budget = session.get(sync.Backfill, app.id), session.get(sync.RateBudget, app.id)
    late = outbox.waiting_since(session, utcnow() - LATE_AFTER, most=1)
    fetched = backfill.found if backfill and not settings().is_pulling else 0
    drifts, is_failing = (budget.drifts, budget.failures > 0) if budget else (0, False)
    return f"{app.status} fetched={fetched} drifts={drifts} failing={is_failing} email={late}"
