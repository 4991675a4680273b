"""What an error of the database means to the person who runs a command, and what to do about it."""

import re
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError, SQLAlchemyError

OLD = "The database is not up to date: run `gangway db upgrade`."
SILENT = "The database does not answer: look at GANGWAY_DATABASE_URL, and whether it runs."
# By the beginning of SQLite's own name: https://sqlite.org/rescode.html
SQLITE = {
    "SQLITE_NOTADB": "The file in GANGWAY_DATABASE_URL is not a SQLite database.",
    "SQLITE_CORRUPT": "The database file is damaged: restore a backup.",
    "SQLITE_READONLY": "This user may not write the database file, or the folder that it is in.",
    "SQLITE_PERM": "This user may not open the database file.",
    "SQLITE_CANTOPEN": "The database file can't be opened: look at GANGWAY_DATABASE_URL.",
    "SQLITE_FULL": "The disk with the database is full: make room on it.",
    "SQLITE_IOERR": "The database file can't be read or written: look at its disk.",
    "SQLITE_BUSY": "Another program keeps the database locked: try again when it is done.",
    "SQLITE_LOCKED": "Another program keeps the database locked: try again when it is done.",
}
# No such table, no such column: https://www.postgresql.org/docs/current/errcodes-appendix.html
MISSING_IN_SQLITE, MISSING_IN_POSTGRESQL = "no such ", ("42P01", "42703")
READ_ONLY = "25006"
POSTGRESQL = {
    READ_ONLY: "The database is read-only, as a standby is: look at GANGWAY_DATABASE_URL.",
    "53100": "The disk with the database is full: make room on it.",
    "53300": "The database has too many connections: close some, or raise its max_connections.",
    "28": "The database does not let this user in: look at user and password in GANGWAY_DATABASE_URL.",
    "3D000": "There is no database of that name: make it, or look at GANGWAY_DATABASE_URL.",
}
DENIED = "42501"
# A connection that fails has no code, only words. With lc_messages in another language, SILENT has to do.
WORDS = (
    (r"permission denied for database", "This user may not connect to the database: grant CONNECT on it."),
    (r"database .* does not exist", POSTGRESQL["3D000"]),
    (r"(authentication failed|no pg_hba|role .* does not exist|no password supplied)", POSTGRESQL["28"]),
    (r"too many (clients|connections)|remaining connection slots", POSTGRESQL["53300"]),
)


def explain(error: SQLAlchemyError) -> str | None:
    """Return what to do about an error of the database; None for one that is a bug."""
    if not isinstance(error, DBAPIError):
        return SILENT if isinstance(error, sa.exc.TimeoutError) else None
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _explain_sqlite(original)
    return _explain_postgresql(error)


def why_not_opened(file: Path) -> str:
    """Return why SQLite can't open a file, as far as the file system tells."""
    folder = file.parent
    if file.is_dir():
        return f"{file} is a folder, not a database file: look at GANGWAY_DATABASE_URL."
    if not folder.is_dir():
        return f"There is no folder {folder} for the database: make it, or look at GANGWAY_DATABASE_URL."
    return f"This user may not write the database {file.name} in {folder}: look at GANGWAY_DATABASE_URL."


def _explain_sqlite(error: sqlite3.Error) -> str | None:
    if MISSING_IN_SQLITE in str(error):
        return OLD
    name = getattr(error, "sqlite_errorname", "")
    notes: list[str] = getattr(error, "__notes__", [])
    if name.startswith("SQLITE_CANTOPEN") and notes:
        return notes[0]
    return next((said for beginning, said in SQLITE.items() if name.startswith(beginning)), None)


def _explain_postgresql(error: DBAPIError) -> str | None:
    code = getattr(error.orig, "sqlstate", None) or ""
    if code in MISSING_IN_POSTGRESQL:
        return OLD
    if code == DENIED:
        said = str(error.orig).splitlines()[0]
        return f"The database refuses its user something ({said}): grant it, or use the owner of the tables."
    for beginning, sentence in POSTGRESQL.items():
        if code.startswith(beginning):
            return sentence
    if not isinstance(error, OperationalError | ProgrammingError):
        return None
    return next((said for pattern, said in WORDS if re.search(pattern, str(error.orig))), SILENT)
