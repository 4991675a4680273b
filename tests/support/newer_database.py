"""A database that a newer release has changed."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from flask import Flask

from app.core import db


@contextmanager
def newer_database(app: Flask, oldest_code: str | None) -> Iterator[None]:
    """Let the database be at a revision that this code does not know, which needs that code at least."""
    with app.app_context():
        before = _read()
        _write("9999", oldest_code)
    try:
        yield
    finally:
        with app.app_context():
            _write(*before)


def _read() -> tuple[str, str | None]:
    with db.engine().connect() as connection:
        row = connection.execute(sa.text("SELECT version_num, oldest_code FROM alembic_version")).one()
    return row.version_num, row.oldest_code


def _write(revision: str, oldest_code: str | None) -> None:
    change = sa.text("UPDATE alembic_version SET version_num = :revision, oldest_code = :oldest_code")
    with db.engine().begin() as connection:
        connection.execute(change, {"revision": revision, "oldest_code": oldest_code})
