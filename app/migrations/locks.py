"""How long a step waits for a table that others use, on PostgreSQL.

A step that changes a table waits until nobody uses it, not even for reading. Everybody who uses it
meanwhile waits behind the step. So it gives up soon, and can be run again.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from app.core.errors import Conflict

LOCK_TIMEOUT = 3  # seconds
GAVE_UP = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


@contextmanager
def prepared(connection: sa.Connection) -> Iterator[None]:
    """Let steps give up soon on PostgreSQL, and replace tables on SQLite. Raises Conflict when one gives up.

    The steps before it are done.
    """
    if connection.dialect.name == "postgresql":
        sa.event.listen(connection, "begin", _limit)
    with _without_foreign_keys(connection) if connection.dialect.name == "sqlite" else nullcontext():
        try:
            yield
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) != GAVE_UP:
                raise
            raise Conflict(
                f"A table was in use for more than {LOCK_TIMEOUT} seconds. Everybody else would have waited"
                " behind this step. Run the command again when long transactions, such as a dump, have ended."
            ) from error


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    """Let a step replace a table that others refer to. Source: https://sqlite.org/lang_altertable.html#otheralter"""
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
        if broken := driver.execute("PRAGMA foreign_key_check").fetchall():
            raise RuntimeError(f"rows refer to missing rows: {broken[:3]}")
    finally:
        connection.rollback()
        driver.execute("PRAGMA foreign_keys=ON")


def _limit(connection: sa.Connection) -> None:
    """Outside of transactions nothing is limited: what is done there waits for long, but nobody behind it."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}s'")
