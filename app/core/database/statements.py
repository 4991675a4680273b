"""Statements about many rows, in the dialect of each database."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core.db import Base


def update_all(
    session: Session, table: type[Base], /, *conditions: sa.ColumnElement[bool], **values: Any
) -> int:
    """Update the rows that meet the conditions, and return how many.

    The session's own rows stay as they were read: read again those that you still need.
    """
    statement = sa.update(table).where(*conditions).values(values)
    updated = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(updated, sa.CursorResult)
    return updated.rowcount


def delete_all(session: Session, table: type[Base], /, *conditions: sa.ColumnElement[bool]) -> int:
    """Delete the rows that meet the conditions, and return how many. The session does not notice."""
    statement = sa.delete(table).where(*conditions)
    deleted = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(deleted, sa.CursorResult)
    return deleted.rowcount


def is_one_of(
    session: Session, column: sa.ColumnElement[str] | InstrumentedAttribute[str], values: list[str]
) -> sa.ColumnElement[bool]:
    """Return the condition `column IN (values)` with one parameter: a thousand take long to read."""
    if session.get_bind().dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # noqa: PLC0415  (nothing on SQLite needs it)

        return column == sa.any_(sa.bindparam(None, values, postgresql.ARRAY(sa.String)))
    return column.in_(sa.select(sa.func.json_each(sa.bindparam(None, values, sa.JSON)).table_valued("value")))


def read_by_index(session: Session) -> None:
    """Let PostgreSQL look up what follows in this transaction row by row, in indexes.

    For a batch of many rows it would rather read whole tables, and so once for each batch.
    """
    if session.get_bind().dialect.name == "postgresql":
        for way in ("seqscan", "hashjoin", "mergejoin"):
            session.execute(sa.text(f"SET LOCAL enable_{way} = off"))
