"""Columns added to tables that are there already."""

from typing import Any

import sqlalchemy as sa
from alembic import op


def add(table: str, column: sa.Column[Any]) -> None:
    """Add a column, unless an earlier try of the step has: making an index on PostgreSQL commits it."""
    known = {found["name"] for found in sa.inspect(op.get_bind()).get_columns(table)}
    if column.name not in known:
        op.add_column(table, column)
