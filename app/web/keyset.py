"""Long lists, the newest first: each page begins behind the last row of the one before it.

A page costs the same however far down it is, and rows that come meanwhile shift nothing.
"""

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.core.values import frozen

Row = TypeVar("Row")
Position = tuple[Any, ...]  # a row's values in the columns that the list is sorted by


@frozen
class Slice(Generic[Row]):
    """One page, and where the next ones in both directions begin; None where there is none."""

    rows: list[Row]
    newer: Position | None
    older: Position | None


def newest_first(
    session: Session,
    query: sa.Select[*tuple[Any, ...]],
    columns: Sequence[Any],
    position: Callable[[Any], Position],
    *,
    before: Position | None = None,
    after: Position | None = None,
    size: int,
) -> Slice[Any]:
    """The page of a query that ends before a position, or that begins after one; else the first page.

    `columns` are unique together and have an index in that order; `position` reads them from a row.
    """
    key = sa.tuple_(*columns)
    if after is not None:
        query = query.where(key > after).order_by(*(column.asc() for column in columns))
    else:
        query = query.where(key < before) if before is not None else query
        query = query.order_by(*(column.desc() for column in columns))
    found = list(session.execute(query.limit(size + 1)))
    is_more, rows = len(found) > size, found[:size]
    if after is not None:
        rows.reverse()
    if not rows:
        return Slice([], None, None)
    has_newer = is_more if after is not None else before is not None
    has_older = after is not None or is_more
    return Slice(
        rows,
        position(rows[0]) if has_newer else None,
        position(rows[-1]) if has_older else None,
    )
