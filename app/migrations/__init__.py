"""The database's tables through the versions. Each step is a file in this folder."""

import logging
from functools import cache
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_alembic import Alembic

from app import db

VERSIONS = Path(__file__).parent / "versions"
_alembic = Alembic(run_mkdir=False, command_name="", metadatas=db.Base.metadata)
logging.getLogger("alembic").setLevel(logging.WARNING)  # the extension would print every step of its own


def init_app(app: Flask) -> None:
    """Tell Alembic where the steps are, and that SQLite changes tables by copying them."""
    app.config["ALEMBIC"] = {"script_location": "migrations/versions"}
    app.config["ALEMBIC_CONTEXT"] = {"render_as_batch": True, "compare_type": True}
    _alembic.init_app(app)


def upgrade(target: str = "heads") -> None:
    """Bring the tables to a version, by default the newest."""
    _alembic.upgrade(target)


def downgrade(target: str) -> None:
    """Bring the tables back to a version; `base` is an empty database."""
    _alembic.downgrade(target)


def pending() -> bool:
    """Are there steps that this database has not taken?

    Asked of Alembic itself: the extension keeps one cache for all threads, and any request's end empties it.
    """
    with db.engine().connect() as connection:
        taken = MigrationContext.configure(connection).get_current_heads()
    return set(taken) != _heads()


@cache
def _heads() -> set[str]:
    return set(ScriptDirectory(str(VERSIONS), version_locations=[str(VERSIONS)]).get_heads())


def drift() -> list[Any]:
    """What the models have and the database lacks, or the other way round."""
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, db.Base.metadata))


def revision(message: str) -> None:
    """Write the next step from what the models have and the database lacks."""
    _alembic.revision(message)


__all__ = ["downgrade", "drift", "init_app", "pending", "revision", "upgrade"]
