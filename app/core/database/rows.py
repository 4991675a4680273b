"""Write a row and know it afterwards, in one statement each."""

from collections.abc import Mapping, Sequence
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
    values = _values(row)
    found = sa.select(*(sa.literal(value, column.type) for column, value in values.items()))
    found = found.where(*conditions)
    table = row.__table__
    inserted = session.execute(
        db.insert(session, type(row))
        .from_select(
            [column.name for column in values],
            found.with_for_update(read=True) if lock else found,
            include_defaults=False,
        )
        .on_conflict_do_nothing()
        .returning(*table.primary_key)
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
    key = zip(mapper.primary_key, mapper.primary_key_from_instance(row), strict=True)
    updated = session.execute(
        sa.update(type(row))
        .where(*(column == value for column, value in key), *conditions)
        .values(values)
        .returning(*row.__table__.columns, *also)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if updated is not None:
        for attribute in mapper.column_attrs:
            set_committed_value(row, attribute.key, updated._mapping[attribute.columns[0]])  # noqa: SLF001 (public)
    return updated


def _values(row: Base) -> dict[sa.ColumnElement[Any], Any]:
    """Return the value of each column. What was not given is the column's default, as in any insert."""
    attributes = sa.inspect(type(row)).column_attrs
    for attribute in attributes:
        if attribute.key not in sa.inspect(row).dict:
            setattr(row, attribute.key, _default(attribute.columns[0].default))
    return {each.columns[0]: getattr(row, each.key) for each in attributes}


def _default(default: Any) -> Any:
    if default is None:
        return None
    return default.arg if default.is_scalar else default.arg(None)
