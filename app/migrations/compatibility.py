"""Which revisions of the code can work with the tables: each step says so, and the database knows it.

Each step names in `oldest_code` the revision of the oldest code that can work with the tables after it. Older
code does not notice a new table, or a column with a default: then that is an older revision. Otherwise it is
the step's own. Where it depends on the database, it is a revision for each. The runner keeps the newest of
these beside Alembic's own revision. Code that is older than the database reads it there.
"""

from collections.abc import Collection, Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.runtime.migration import MigrationContext, MigrationInfo

ATTRIBUTE = "oldest_code"
TABLE = "alembic_version"
COLUMN = "oldest_code"


def record(
    ctx: "MigrationContext", step: "MigrationInfo", heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    """Note the oldest code that can work with the tables after a step. Runs in the step's transaction."""
    from alembic import context  # noqa: PLC0415  (it takes long to import, and only a change needs it)

    del step, run_args
    connection = ctx.connection
    assert connection is not None
    if COLUMN not in _columns(connection):
        connection.exec_driver_sql(f"ALTER TABLE {TABLE} ADD COLUMN {COLUMN} VARCHAR(32)")
    steps = context.script.iterate_revisions(tuple(heads), "base") if heads else ()
    needed = max((_needed(step.module, connection.dialect.name) for step in steps), default=None)
    connection.execute(sa.text(f"UPDATE {TABLE} SET {COLUMN} = :needed"), {"needed": needed})  # noqa: S608


def oldest_code(connection: sa.Connection) -> str | None:
    """Return the oldest revision of the code that can work with the tables; None if it is unknown."""
    if COLUMN not in _columns(connection):
        return None
    found: str | None = connection.scalar(sa.text(f"SELECT max({COLUMN}) FROM {TABLE}"))  # noqa: S608
    return found


def _needed(module: ModuleType, database: str) -> str:
    named: str | dict[str, str] = getattr(module, ATTRIBUTE)
    return named if isinstance(named, str) else named[database]


def _columns(connection: sa.Connection) -> set[str]:
    return {column["name"] for column in sa.inspect(connection).get_columns(TABLE)}
