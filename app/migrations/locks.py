"""How long a step waits for a table that others use, on PostgreSQL.

A step that changes a table waits until nobody uses it, not even for reading. Everybody who uses it
meanwhile waits behind the step. So it gives up soon, and can be run again.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from app.core.errors import Conflict

LONGEST = 3  # seconds
GAVE_UP = "55P03"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


@contextmanager
def waited_for_shortly(connection: sa.Connection) -> Iterator[None]:
    """Have steps give up soon on this connection. Raises Conflict when one does; those before it are done."""
    if connection.dialect.name == "postgresql":
        sa.event.listen(connection, "begin", _limit)
    try:
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != GAVE_UP:
            raise
        raise Conflict(
            f"A table was in use for more than {LONGEST} seconds, and everybody else would have waited behind"
            " this step: run the command again when long transactions, such as a dump, have ended."
        ) from error


def _limit(connection: sa.Connection) -> None:
    """Outside of transactions nothing is limited: what is done there waits for long, but nobody behind it."""
    if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{LONGEST}s'")
