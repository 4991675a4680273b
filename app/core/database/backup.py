"""A complete copy of the database, made while others keep writing."""

import os
import secrets
import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from app.core import files
from app.core.errors import Conflict, Invalid, PreconditionFailed, Unsupported


def backup(engine: sa.Engine, target: Path) -> int:
    """Copy the database into a new file that only its owner can read; its size in bytes.

    A copy that was interrupted leaves no file of that name. Raises Conflict when there is one already,
    and Invalid when none can be made there or there is nothing to copy. Raises Unsupported for a database
    that has its own tool.
    """
    if engine.dialect.name != "sqlite":
        url = engine.url.set(drivername="postgresql").render_as_string(hide_password=True)
        raise Unsupported(f"PostgreSQL has a tool for this: pg_dump --format=custom --file={target} '{url}'")
    _refuse_nothing(engine)
    taken = Conflict(f"{target} already exists. Name a new file.")
    if os.path.lexists(target):
        raise taken
    unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(files.create(unfinished))
    except OSError as error:
        raise Invalid(f"{target} can't be written: {error.strerror}.") from error
    try:
        _copy(engine, unfinished)
        _name(unfinished, target)
    except FileExistsError as error:
        raise taken from error
    finally:
        unfinished.unlink(missing_ok=True)
    return target.stat().st_size


def _refuse_nothing(engine: sa.Engine) -> None:
    """Raise Invalid for a database without tables: somebody named the wrong file. Make no file there."""
    file = Path(engine.url.database or "")
    if file.parent.is_dir() and not file.exists():  # to open it would make it
        raise Invalid(f"There is no database {file}: look at GANGWAY_DATABASE_URL.")
    if not sa.inspect(engine).get_table_names():
        raise Invalid(f"There is nothing to copy: {file} has no tables. Look at GANGWAY_DATABASE_URL.")


def _name(unfinished: Path, target: Path) -> None:
    """Give a whole copy its name. Raises FileExistsError if somebody took the name meanwhile."""
    try:
        os.link(unfinished, target, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        unfinished.rename(target)


def _copy(engine: sa.Engine, target: Path) -> None:
    """In one step: with a log beside the file, reading holds up no writer, and sees one moment.

    Source: https://sqlite.org/backup.html
    """
    with engine.connect() as connection:
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)
        try:
            # A whole path, because SQLite may take a name like `file:copy.db` as the address of another file.
            with closing(sqlite3.connect(target.absolute())) as copy:
                source.backup(copy)
                found = [line for (line,) in copy.execute("PRAGMA quick_check")]
        except sqlite3.Error as error:
            raise Invalid(f"The database could not be copied: {error}.") from error
    if found != ["ok"]:
        raise PreconditionFailed(f"The database is damaged, and no copy was made: {found[0]}")
