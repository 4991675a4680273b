"""The database's tables through the versions. Each step is a file in `versions`."""

from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app import db
from app.migrations import locks, trigrams

HERE = Path(__file__).parent


def upgrade(target: str = "heads") -> str | None:
    """Bring the tables to a version, by default the newest. What was interrupted can be run again.

    Gives a sentence when something would be faster with an extension that the database has not got. Raises
    Conflict when others use a table for too long.
    """
    with db.engine().connect() as connection, locks.waited_for_shortly(connection):
        command.upgrade(_config(connection), target)
    return trigrams.ensure(db.engine()) if target == "heads" else None


def downgrade(target: str) -> None:
    """Bring the tables back to a version; `base` is an empty database. Raises Conflict as `upgrade` does."""
    with db.engine().connect() as connection, locks.waited_for_shortly(connection):
        command.downgrade(_config(connection), target)


def revision(message: str) -> None:
    """Write the next step from what the models have and the database lacks."""
    with db.engine().connect() as connection:
        command.revision(_config(connection), message, autogenerate=True)


def pending() -> bool:
    """Are there steps that this database has not taken?"""
    with db.engine().connect() as connection:
        taken = MigrationContext.configure(connection).get_current_heads()
    return set(taken) != _heads()


def drift() -> list[Any]:
    """What the models have and the database lacks, or the other way round."""
    with db.engine().connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": is_compared}
        )
        return list(compare_metadata(context, db.Base.metadata))


def is_compared(name: str | None, kind: str, _parents: object) -> bool:
    """Does a thing in the database belong to the models? One index does not: see `trigrams`."""
    return (kind, name) != ("index", trigrams.NAME)


def _config(connection: Any = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


@cache
def _heads() -> set[str]:
    return set(ScriptDirectory.from_config(_config()).get_heads())
