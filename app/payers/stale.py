"""Old records repair themselves: reading one makes a worker ask Stripe about it."""

from collections.abc import Collection
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from app.core import db
from app.core.database import statements
from app.core.db import utcnow
from app.payers.actions import due_values
from app.payers.models import Payer

FRESH = timedelta(minutes=1)


def is_stale(payer: Payer, now: datetime) -> bool:
    """Is our record of a payer more than a minute old, and could Stripe say something else by now?"""
    is_over = payer.deleted_at is not None or payer.stripe_deleted_at is not None
    return not is_over and (payer.verified_at or payer.created_at) <= now - FRESH


def check_stale(session: Session, payers: Collection[Payer], *, is_person: bool) -> bool:
    """Have the worker ask Stripe about stale records, and wake it. Return whether any is stale. Commits.

    However many requests read a record at once, one check follows, and its answer counts as fresh for a
    minute. Failed checks keep their delay, and a payer that was given up is left to a person.
    """
    now = utcnow()
    ids = [payer.id for payer in payers if is_stale(payer, now)]
    if not ids:
        return False
    is_resting = sa.and_(sa.or_(Payer.due_at.is_(None), Payer.due_at > now), Payer.attempts == 0)
    is_free = sa.or_(Payer.lease.is_(None), Payer.leased_until < now)
    is_markable = sa.and_(Payer.id.in_(ids), Payer.deleted_at.is_(None), is_resting, is_free)
    is_any = session.scalar(sa.select(Payer.id).where(is_markable).limit(1)) is not None
    db.end_read(session)
    if is_any:
        db.start_write(session)
        values = due_values(now, why="stale", scheduled=not is_person)
        statements.update_all(session, Payer, is_markable, **values)
        session.commit()
        current_app.extensions["gangway.worker"].wake()
    return True
