"""Columns added to tables that are there already."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op


def add(table: str, column: sa.Column[Any]) -> None:
    """Add a column, unless an earlier try of the step has: making an index on PostgreSQL commits it."""
    known = {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in known:
        op.add_column(table, column)


def filling() -> AbstractContextManager[None]:
    """The part of a step that gives a new column its values, in statements that may be run again.

    On PostgreSQL whatever the step did before is committed by this: until then nobody could even read the
    table. SQLite lets others read, but not write, until the whole step is done.
    """
    if op.get_bind().dialect.name == "postgresql":
        return op.get_context().autocommit_block()
    return nullcontext()
