"""Indexes on tables that may be large: on PostgreSQL they are made while others keep writing."""

from typing import Any

import sqlalchemy as sa
from alembic import op


def make(name: str, table: str, columns: list[Any], *, where: str | None = None, **options: Any) -> None:
    """Make an index. What an earlier try left half made is removed first.

    On PostgreSQL whatever the step did before is committed by this, so it must be fit to be run again.
    """
    if where is not None:
        options |= {"sqlite_where": sa.text(where), "postgresql_where": sa.text(where)}
    if op.get_bind().dialect.name != "postgresql":
        op.create_index(name, table, columns, **options)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, **options)


def drop(name: str, table: str) -> None:
    """Remove an index. On PostgreSQL whatever the step did before is committed by this."""
    if op.get_bind().dialect.name != "postgresql":
        op.drop_index(name, table)
        return
    with op.get_context().autocommit_block():
        op.drop_index(name, table, if_exists=True, postgresql_concurrently=True)
