"""Statements about many rows, in the words of each database."""

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import InstrumentedAttribute, Session


def is_one_of(
    session: Session, column: sa.ColumnElement[str] | InstrumentedAttribute[str], values: list[str]
) -> sa.ColumnElement[bool]:
    """Return the condition `column IN (values)` with one parameter: a thousand take long to read."""
    if session.get_bind().dialect.name == "postgresql":
        return column == sa.any_(sa.bindparam(None, values, postgresql.ARRAY(sa.String)))
    return column.in_(sa.select(sa.func.json_each(sa.bindparam(None, values, sa.JSON)).table_valued("value")))


def read_by_index(session: Session) -> None:
    """Let PostgreSQL look up what follows in this transaction row by row, in indexes.

    For a batch of many rows it would rather read whole tables, and so once for each batch.
    """
    if session.get_bind().dialect.name == "postgresql":
        for way in ("seqscan", "hashjoin", "mergejoin"):
            session.execute(sa.text(f"SET LOCAL enable_{way} = off"))
