"""A statement that the driver runs without SQLAlchemy, which takes longer than the database needs."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import DBAPIConnection

from app.core import db
from app.core.database import sqlite

Values = dict[str, Any]


class DirectStatement:
    """One statement in a separate transaction. It is committed, with full durability, when it returns.

    It does not look first whether the connection still lives. `rows` raises the driver's own error when it
    does not, and then the caller knows nothing about the commit, as always.
    """

    def __init__(self, statement: sa.ClauseElement) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def rows(self, engine: sa.Engine, values: Values) -> list[tuple[Any, ...]]:
        """Run it and return the rows."""
        text, parameters = self._bind(engine.dialect, values)
        with db.without_ping():
            pooled = engine.raw_connection()
        connection = pooled.dbapi_connection
        assert connection is not None
        try:
            return _run(connection, text, parameters)
        except engine.dialect.loaded_dbapi.Error as error:
            if engine.dialect.is_disconnect(error, connection, None):
                pooled.invalidate(error)
            raise
        finally:
            pooled.close()

    def _bind(self, dialect: sa.Dialect, values: Values) -> tuple[str, Any]:
        if dialect.name not in self._compiled:
            self._compiled[dialect.name] = self._compile(dialect)
        text, order, processors = self._compiled[dialect.name]
        bound = {
            name: processor(values[name]) if processor else values[name]
            for name, processor in processors.items()
        }
        return text, bound if order is None else tuple(bound[name] for name in order)

    def _compile(self, dialect: sa.Dialect) -> tuple[str, list[str] | None, dict[str, Any]]:
        compiled = self._statement.compile(dialect=dialect)
        assert isinstance(compiled, sa.sql.compiler.SQLCompiler)
        processors = {
            name: parameter.type.dialect_impl(dialect).bind_processor(dialect)
            for name, parameter in compiled.binds.items()
        }
        return compiled.string, compiled.positiontup, processors


def _run(connection: DBAPIConnection, text: str, parameters: Any) -> list[tuple[Any, ...]]:
    if isinstance(connection, sqlite.Connection):
        return _run_in_turn(connection, text, parameters)
    connection.autocommit = True  # nothing is sent for this
    try:
        found: list[tuple[Any, ...]] = connection.execute(text, parameters).fetchall()
    finally:
        if not connection.closed:
            connection.autocommit = False
    return found


def _run_in_turn(connection: sqlite.Connection, text: str, parameters: Any) -> list[tuple[Any, ...]]:
    """Run it in a transaction. When it fails, the pool rolls back what is not committed."""
    connection.begin_write(lambda: connection.execute(sqlite.BEGIN_WRITE))
    found = connection.execute(text, parameters).fetchall()
    connection.commit()
    return found
