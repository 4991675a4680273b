"""The file behind a store: one SQLite table that only its owner can read."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path

_TABLE = """
CREATE TABLE IF NOT EXISTS object (
    collection TEXT, id TEXT, position INTEGER, account TEXT, value TEXT, PRIMARY KEY (collection, id)
) WITHOUT ROWID
"""


def open_file(path: Path) -> sqlite3.Connection:
    """Open the file, and create it with its folder and table when they are missing."""
    for folder in reversed(path.absolute().parents):
        if not folder.is_dir():
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)  # the umask may have taken bits from the owner
    with suppress(FileExistsError):  # SQLite would follow the umask
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        os.fchmod(descriptor, 0o600)
        os.close(descriptor)
    connection = sqlite3.connect(path, check_same_thread=False)  # the store's lock guards it
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL survives the death of the process. Only a power cut could lose the last answers.
    connection.execute("PRAGMA synchronous = NORMAL")
    with suppress(sqlite3.OperationalError):  # versions before 0.2.0 called the table `book`
        connection.execute("ALTER TABLE book RENAME TO object")
    connection.execute(_TABLE)
    connection.commit()
    return connection
