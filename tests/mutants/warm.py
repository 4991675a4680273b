"""A program that has loaded all libraries and none of our code: each run of pytest is a fork of it.

To load the libraries takes longer than most tests. A line of its standard input holds pytest's arguments and
the file for what it says, as JSON; a line of its standard output, the exit code. It ends with its input.
"""

import json
import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest

LIBRARIES = (
    "alembic.autogenerate",
    "alembic.command",
    "alembic.config",
    "argon2",
    "cryptography.fernet",
    "email_validator",
    "flask",
    "flask_login",
    "flask_wtf",
    "gunicorn.app.base",
    "gunicorn.workers.gthread",
    "limits",
    "prometheus_client.multiprocess",
    "psycopg",
    "pydantic_settings",
    "pyotp",
    "segno",
    "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite",
    "sqlalchemy.orm",
    "sqlite3",
    "stripe._object_classes",
    "stripe._stripe_client",
    "structlog",
    "time_machine",
    "ulid",
    "werkzeug.test",
    "wtforms",
    "zxcvbn",
)


def main() -> None:
    """Load, then run what is asked for until nothing more is."""
    sys.path[0] = str(Path.cwd())  # in place of the folder of this file
    for plugin in entry_points(group="pytest11"):
        plugin.load()
    for name in LIBRARIES:
        with suppress(ImportError):  # then each run loads what it needs
            import_module(name)
    for line in sys.stdin:
        arguments, output = json.loads(line)
        child = os.fork()
        if child == 0:
            _speak_into(output)
            sys.exit(pytest.main(arguments))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201 (what it is for)


def _speak_into(file: str) -> None:
    """Let everything that this process says go into a file, and let it read nothing."""
    written = os.open(file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
    os.dup2(written, sys.stdout.fileno())
    os.dup2(written, sys.stderr.fileno())
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)


if __name__ == "__main__":
    main()
