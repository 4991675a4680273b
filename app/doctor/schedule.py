"""Examining every app each hour, and soon after anything odd, without anybody's asking."""

from datetime import timedelta

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import apps, sync
from app.core import db
from app.core.config import settings
from app.core.db import utcnow
from app.core.errors import AppError
from app.doctor import actions
from app.doctor.models import ExaminationSchedule

log = structlog.get_logger("gangway.doctor")

EXAMINATION_INTERVAL = timedelta(hours=1)
NO_ANSWER = "answer"  # the code of a finding that says nothing about the app itself
ODD_INTERVAL = timedelta(minutes=5)  # the least time between two examinations, however odd things are


def examine_due(session: Session) -> int:
    """Examine the apps whose time has come. Commits. How many there were.

    Each is claimed before Stripe is asked, so of several workers one examines it. A worker that dies while it
    examines leaves the app to the next hour.
    """
    claimed = [app.id for app in apps.installed(session) if _claim(session, app)]
    for app_id in claimed:
        try:
            examination = actions.run(session, apps.by_id(session, app_id), actor=actions.WORKER)
            if any(found.code == NO_ANSWER for found in actions.findings_of(examination)):
                session.get_one(ExaminationSchedule, app_id).due_at = utcnow() + ODD_INTERVAL
            session.commit()
        except (AppError, SQLAlchemyError):
            session.rollback()
            log.exception("examination_failed", app=app_id)
    return len(claimed)


def _claim(session: Session, app: apps.App) -> bool:
    """Take the turn of an app, if it is due by the clock or because of new signs. Commits."""
    now, signs, app_id = utcnow(), _signs(session, app), app.id
    row = session.get(ExaminationSchedule, app_id, populate_existing=True)
    last = actions.latest(session, app_id)
    is_odd = row is not None and row.signs != signs
    is_rested = last is None or last.at <= now - ODD_INTERVAL
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
    """What changes when something odd happens: a rejected key, failing calls, events that never came."""
    backfill, budget = session.get(sync.Backfill, app.id), session.get(sync.RateBudget, app.id)
    fetched = backfill.found if backfill and not settings().is_pulling else 0
    drifts, is_failing = (budget.drifts, budget.failures > 0) if budget else (0, False)
    return f"{app.status} fetched={fetched} drifts={drifts} failing={is_failing}"
