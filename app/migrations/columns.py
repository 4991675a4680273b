"""Columns added to existing tables."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import sqlalchemy as sa
from alembic import op

BATCH = 5000


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


def batches(table: str) -> Iterator[tuple[str, str]]:
    """Yield after which id and up to which the next few thousand rows stand. Fill them in their own commit.

    A writer of such a row waits for that commit alone.
    """
    id_, after = sa.column("id", sa.String), ""
    ids = sa.select(id_).select_from(sa.table(table)).order_by(id_).limit(BATCH)
    while found := op.get_bind().scalars(ids.where(id_ > after)).all():
        yield after, found[-1]
        after = found[-1]
