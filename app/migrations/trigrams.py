"""The index of the search on PostgreSQL. It wants an extension that not every server has."""

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

NAME = "ix_customer_search"
SUPERUSERS = "CREATE EXTENSION pg_trgm"

IS_OFFERED = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
IS_THERE = "SELECT count(*) FROM pg_extension WHERE extname = 'pg_trgm'"
IS_INDEXED = f"SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('{NAME}') AND indisvalid"  # noqa: S608


def ensure(engine: sa.Engine) -> str | None:
    """Make the index where it is missing and can be made; else say why it can't be, and what would help.

    Without it everything works; a search just reads all customers. So it belongs to no step of the
    migrations: it is looked after whenever they are run.
    """
    return _made(engine) if engine.dialect.name == "postgresql" else None


def _made(engine: sa.Engine) -> str | None:  # pragma: no cover (coverage is measured on SQLite)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if sa.inspect(connection).has_table("customer") and not connection.scalar(sa.text(IS_INDEXED)):
            return _make(connection)
    return None


def _make(connection: sa.Connection) -> str | None:  # pragma: no cover (coverage is measured on SQLite)
    without = "The search of customers works without the extension pg_trgm, but slowly when there are many."
    if not connection.scalar(sa.text(IS_THERE)):
        if not connection.scalar(sa.text(IS_OFFERED)):
            return f"{without} Install PostgreSQL's contrib modules, then run `gangway db upgrade` again."
        try:
            connection.exec_driver_sql("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        except DBAPIError:
            return (
                f"{without} This role may not create it: let a superuser run `{SUPERUSERS}` in this"
                " database, then run `gangway db upgrade` again."
            )
    connection.exec_driver_sql(f"DROP INDEX CONCURRENTLY IF EXISTS {NAME}")  # one that was interrupted
    connection.exec_driver_sql(
        f"CREATE INDEX CONCURRENTLY {NAME} ON customer USING gin (search_text gin_trgm_ops)"
    )
    return None
