"""The engines of the tests' many applications: what they need not do each for itself, or at all."""

from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core import db


def hasten(app: Flask, *, like: sa.Engine) -> None:
    """Let an application share what another engine has compiled, and not wait for the disk.

    SQLAlchemy keeps compiled statements for each engine, and each application of the tests has its own. To
    compile them again would take a third of a test's time. Nobody pulls the plug in these tests, so an
    SQLite file need not reach the disk. (PostgreSQL's server gets the same setting.)
    """
    with app.app_context():
        engine = db.engine()
    if engine.dialect.name == like.dialect.name:
        engine.dialect = like.dialect
        engine._compiled_cache = like._compiled_cache
    if engine.dialect.name == "sqlite":
        sa.event.listen(engine, "connect", _trust_the_power)


def _trust_the_power(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=OFF")
