"""A whole copy of the database, made while others go on writing."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from app.errors import Conflict, Invalid, Unsupported


def backup(engine: sa.Engine, target: Path) -> int:
    """Copy the database into a new file that only its owner can read; its size in bytes.

    A copy that was interrupted leaves no file of that name. Raises Conflict when there is one already,
    Invalid when none can be made there, and Unsupported for a database that has a tool of its own.
    """
    if engine.dialect.name != "sqlite":
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
        raise Unsupported(f"PostgreSQL has a tool for this: pg_dump --format=custom --file={target} '{url}'")
    if target.exists():
        raise Conflict(f"{target} is there already. Name a new file.")
    unfinished = target.with_name(f"{target.name}.part")
    try:
        os.close(os.open(unfinished, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    except OSError as error:
        raise Invalid(f"{target} can't be written: {error.strerror}.") from error
    _copy(engine, unfinished)
    unfinished.rename(target)
    return target.stat().st_size


def _copy(engine: sa.Engine, target: Path) -> None:
    """In one step: with a log beside the file, reading holds up no writer, and sees one moment.

    Source: https://sqlite.org/backup.html
    """
    connection = engine.raw_connection()
    try:
        source = connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        with closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            [found] = copy.execute("PRAGMA quick_check").fetchone()
            assert found == "ok", found
    finally:
        connection.close()
