"""Leases on rows: one worker holds a row at a time, and never for longer than it says."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core import db
from app.core.database import statements
from app.core.db import Base, new_id, utcnow


class Leasing:
    """Take, renew and release the leases of one table.

    A holder writes only after it has found its token in the locked row: another worker may have taken over.
    """

    def __init__(self, model: type[Base], key: Any, *, duration: timedelta) -> None:
        self._model: Any = model
        self._key = key
        self.duration = duration

    def is_free(self, now: datetime) -> sa.ColumnElement[bool]:
        """Return a condition on rows that nobody holds."""
        return sa.or_(self._model.lease.is_(None), self._model.leased_until < now)

    def take(
        self, session: Session, which: sa.ColumnElement[bool], *returning: Any, **values: Any
    ) -> tuple[str, sa.Row[Any]] | None:
        """Take the lease of the row that a condition names. Return the token and columns of the row. Flushes.

        One conditional UPDATE does it, so that of two workers one gets nothing.
        """
        token, rows = self.take_all(session, which, *returning, **values)
        return (token, rows[0]) if rows else None

    def take_all(
        self, session: Session, which: sa.ColumnElement[bool], *returning: Any, **values: Any
    ) -> tuple[str, Sequence[sa.Row[Any]]]:
        """Take the leases of all rows that a condition names, under one token, in the same way. Flushes."""
        token = new_id()
        rows = session.execute(
            sa.update(self._model)
            .where(which)
            .values(lease=token, leased_until=utcnow() + self.duration, **values)
            .returning(self._key, *returning)
            .execution_options(synchronize_session=False)
        ).all()
        return token, rows

    def renew(self, session: Session, key: str, token: str) -> bool:
        """Hold a lease for its whole duration again. Return False when another worker has it. Commits."""
        return self._update(session, key, token, lease=token, leased_until=utcnow() + self.duration)

    def release(self, session: Session, key: str, token: str) -> None:
        """Release an unused lease, unless another worker has it by now. Commits."""
        self._update(session, key, token, lease=None, leased_until=None)

    def _update(self, session: Session, key: str, token: str, **values: Any) -> bool:
        db.start_write(session)
        is_held = sa.and_(self._key == key, self._model.lease == token)
        updated = statements.update_all(session, self._model, is_held, **values)
        session.commit()
        return updated > 0
