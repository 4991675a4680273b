"""All sealed secrets of the database, whatever table they are in: columns that say `info=SEALED`."""

from collections import Counter

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session

from app.core import db
from app.core.secrets.sealing import Sealer
from app.core.values import frozen


@frozen
class Resealed:
    """How many secrets are sealed with the first key now, and which stay closed to every key."""

    resealed: int
    unchanged: int
    closed: tuple[str, ...]  # table and id


def reseal(session: Session) -> Resealed:
    """Seal every secret with the first encryption key. Flushes; the caller has said `db.start_write`.

    What somebody changes meanwhile is left as it is: it was sealed with the first key.
    """
    sealer, resealed, unchanged, closed = _sealer(), 0, 0, []
    for column in _columns():
        for row_id, sealed in _rows(session, column):
            if sealer.is_current(sealed):
                unchanged += 1
            elif not sealer.is_open(sealed):
                closed.append(f"{column.table.name} {row_id}")
            else:
                same = (column.table.c.id == row_id, column == sealed)
                session.execute(
                    sa.update(column.table).where(*same).values({column.name: sealer.reseal(sealed)})
                )
                resealed += 1
    return Resealed(resealed, unchanged, tuple(closed))


def under_old_keys(session: Session) -> Counter[str]:
    """Count the secrets that only an old encryption key opens, by the name of their table."""
    sealer = _sealer()
    if not sealer.has_old_keys:
        return Counter()
    return Counter(
        column.table.name
        for column in _columns()
        for _, sealed in _rows(session, column)
        if not sealer.is_current(sealed) and sealer.is_open(sealed)
    )


def opens_one(session: Session) -> bool:
    """Does some key open the newest sealed secret? True when there is none."""
    for column in _columns():
        newest = session.scalar(
            sa.select(column)
            .where(column.is_not(None), column != "")
            .order_by(column.table.c.id.desc())
            .limit(1)
        )
        if newest:
            return _sealer().is_open(newest)
    return True


def _columns() -> list[sa.Column[str]]:
    tables = db.Base.metadata.sorted_tables
    return [column for table in tables for column in table.columns if column.info.get("sealed")]


def _rows(session: Session, column: sa.Column[str]) -> list[tuple[str, str]]:
    full = sa.select(column.table.c.id, column).where(column.is_not(None), column != "")
    found = session.execute(full.order_by(column.table.c.id)).all()
    return [(row_id, sealed) for row_id, sealed in found]


def _sealer() -> Sealer:
    found = current_app.extensions["gangway.sealer"]
    assert isinstance(found, Sealer)
    return found
