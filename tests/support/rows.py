"""Read all rows of a table. `Rows` is the type of the fixture `rows`, which does so."""

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

Rows = Callable[[type], list[Any]]


def read_all(session: Session, model: type) -> list[Any]:
    """Read the rows in the order in which they were written.

    SQLite gives them so. PostgreSQL may put a new row in the place of one that an earlier test deleted, so it
    sorts by transaction. Within one, ULIDs rise, and rows without one have the number of their statement.
    """
    query: sa.Select[Any] = sa.select(model)
    if session.get_bind().dialect.name == "postgresql":
        table: sa.Table = model.__table__  # type: ignore[attr-defined]  # of every model
        names = [f"{table.name}.xmin::text::bigint", f"{table.name}.cmin::text::bigint", f"{table.name}.ctid"]
        if table.c[0].name == "id":
            names.insert(1, f"{table.name}.id")
        query = query.order_by(*(sa.text(name) for name in names))
    return list(session.scalars(query).unique())
