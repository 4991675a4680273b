"""Write a row and know it afterwards, in one statement each."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm.attributes import set_committed_value

from app.core import db
from app.core.db import Base


def insert_if(
    session: orm.Session, row: Base, *conditions: sa.ColumnElement[bool], lock: bool = False
) -> bool:
    """Insert a new row if the conditions hold and no unique index forbids it. Return False if it was not.

    The row then belongs to the session. With `lock`, the rows that the conditions name stay as they are until
    the commit.
    """
    table = _table(row)
    given = _given(type(row)).where(*conditions)
    session.flush()
    inserted = session.execute(
        db.insert(session, table)
        .from_select(
            given.selected_columns.keys(),
            given.with_for_update(read=True) if lock else given,
            include_defaults=False,
        )
        .on_conflict_do_nothing()
        .returning(*table.primary_key),
        _values(row),
    )
    if inserted.first() is None:
        return False
    orm.make_transient_to_detached(row)
    rolled_back = session.identity_map.get(sa.inspect(type(row)).identity_key_from_instance(row))
    if rolled_back is not None:  # the session can't know that an earlier try was not stored
        session.expunge(rolled_back)
    session.add(row)
    return True


def update_if(
    session: orm.Session,
    row: Base,
    *conditions: sa.ColumnElement[bool],
    values: Mapping[str, Any],
    also: Sequence[sa.ColumnElement[Any]] = (),
) -> sa.Row[Any] | None:
    """Update a row if the conditions hold, and let it hold what is stored then. Nothing is read again.

    Return its columns, and those that `also` asks for; None if it was not updated.
    """
    mapper = sa.inspect(type(row))
    table = _table(row)
    key = zip(mapper.primary_key, mapper.primary_key_from_instance(row), strict=True)
    session.flush()
    updated = session.execute(
        sa.update(table)
        .where(*(column == value for column, value in key), *conditions)
        .values(values)
        .returning(table, *also)
    ).one_or_none()
    if updated is not None:
        for attribute in mapper.column_attrs:
            set_committed_value(row, attribute.key, updated._mapping[attribute.columns[0]])  # noqa: SLF001 (public)
    return updated


def _table(row: Base) -> sa.Table:
    """Return the table itself: a statement of the class would pass the mapper's layers, for no more."""
    table = row.__table__
    assert isinstance(table, sa.Table)
    return table


@cache
def _given(model: type[Base]) -> sa.Select[Any]:
    """Return a SELECT of a row that is not stored yet. Its values go with it as parameters."""
    columns = (each.columns[0] for each in sa.inspect(model).column_attrs)
    return sa.select(*(sa.bindparam(each.name, type_=each.type).label(each.name) for each in columns))


def _values(row: Base) -> dict[str, Any]:
    """Return the value of each column. What was not given is the column's default, as in any insert."""
    attributes = sa.inspect(type(row)).column_attrs
    for attribute in attributes:
        if attribute.key not in sa.inspect(row).dict:
            setattr(row, attribute.key, _default(attribute.columns[0].default))
    return {each.columns[0].name: getattr(row, each.key) for each in attributes}


def _default(default: Any) -> Any:
    if default is None:
        return None
    return default.arg if default.is_scalar else default.arg(None)
