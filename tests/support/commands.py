"""The `gangway` command: the environment it needs, and a way to run it inside this process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from app.cli import main
from tests.conftest import KEY, SECRET_KEY
from tests.support.processes import free_port
from tests.support.rows import read_all

SECRET = SECRET_KEY

Run = Callable[..., Result]


def environment(database_url: str, **more: str) -> dict[str, str]:
    """Return a complete environment, with these settings added."""
    least = {
        "GANGWAY_SECRET_KEY": SECRET,
        "GANGWAY_ENCRYPTION_KEYS": KEY,
        "GANGWAY_DATABASE_URL": database_url,
        "GANGWAY_LOG_LEVEL": "ERROR",
    }
    return least | {f"GANGWAY_{name}": value for name, value in more.items()}


def run_command(*arguments: str, **variables: str) -> Result:
    """Run a command in this process, with these environment variables."""
    defaults = {
        "serve": {"bind": f"127.0.0.1:{_own_port()}"}
    }  # another program may have the port of the default
    with _closed_connections():
        return CliRunner().invoke(
            main, list(arguments), prog_name="gangway", env=variables, default_map=defaults
        )


@cache
def _own_port() -> int:
    return free_port()


@contextmanager
def _closed_connections() -> Iterator[None]:
    """Close what the command opens. In production its connections end with its process.

    Other threads may serve a demo meanwhile. To close a connection that one of them uses is a crash.
    """
    opened: list[Any] = []
    own = threading.get_ident()

    def note(connection: Any, _record: object) -> None:
        if threading.get_ident() == own:
            opened.append(connection)

    sa.event.listen(sa.Pool, "connect", note)
    try:
        yield
    finally:
        sa.event.remove(sa.Pool, "connect", note)
        for connection in opened:
            connection.close()


def rows(database_url: str, model: type) -> list[Any]:
    """Read all rows of a table, as they are now, without an application."""
    engine = sa.create_engine(database_url)
    with Session(engine) as session:
        found = read_all(session, model)
        session.expunge_all()
    engine.dispose()
    return found
