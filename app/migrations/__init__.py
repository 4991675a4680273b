"""The database's tables through the versions. Each step is a file in `versions`.

Alembic is imported only to change or compare tables: a web server that starts needs no more than the number
of the last step.
"""

from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from app.core import db
from app.core.errors import Conflict, NotFound
from app.migrations import compatibility, grants, locks, trigrams

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent
NEWER = "The database is newer than this release, which can still work with it. Install the newer release."


class State(Enum):
    """How the revision of the tables compares with the code."""

    CURRENT = auto()
    OLD = auto()
    NEWER = auto()  # and every step since can be worked with
    TOO_NEW = auto()


SENTENCES = {
    State.OLD: "The database is not up to date: run `gangway db upgrade`.",
    State.TOO_NEW: "The database is newer than this release can work with: install the newer release.",
}


def upgrade(target: str = "heads") -> str | None:
    """Bring the tables to a version, by default the newest. What was interrupted can be run again.

    Gives a sentence when something would be faster with an extension that the database has not got. Raises
    Conflict when others use a table for too long, or when the database is newer than this release.
    """
    from alembic import command  # noqa: PLC0415

    _refuse_newer()
    with db.engine().connect() as connection, locks.prepared(connection):
        command.upgrade(_config(connection), target)
    return trigrams.ensure(db.engine()) if target == "heads" else None


def downgrade(target: str) -> None:
    """Bring the tables back to a version; `base` is an empty database. Raises Conflict as `upgrade` does."""
    from alembic import command  # noqa: PLC0415

    _refuse_newer()
    with db.engine().connect() as connection, locks.prepared(connection):
        command.downgrade(_config(connection), target)


def refuse_downgrade(target: str) -> None:
    """Raise NotFound for a target that the database has not passed, and Conflict for a newer database."""
    _refuse_newer()
    with db.engine().connect() as connection:
        current = max(_taken(connection), default=None)
    passed = ["base", *(step for step in _steps() if current is not None and step <= current)]
    if target not in passed:
        raise NotFound(
            f"The database can't go back to {target!r}. Name one of these revisions: {', '.join(passed)}."
        )


def _refuse_newer() -> None:
    if state() in {State.NEWER, State.TOO_NEW}:
        raise Conflict("The database is newer than this release: install the newer release.")


def revision(message: str) -> None:
    """Write the next step from what the models have and the database lacks."""
    from alembic import command  # noqa: PLC0415

    db.name_conditions()
    with db.engine().connect() as connection:
        number = f"{int(_head()) + 1:04}"  # counted, because the order says which code fits which tables
        command.revision(_config(connection), message, autogenerate=True, rev_id=number)


def state() -> State:
    """Compare the revision of the tables with the code."""
    with db.engine().connect() as connection:
        taken = _taken(connection)
        if taken == {_head()}:
            return State.CURRENT
        if taken <= set(_steps()):
            return State.OLD
        oldest = compatibility.oldest_code(connection)
    return State.NEWER if oldest is not None and oldest <= _head() else State.TOO_NEW


def pending() -> bool:
    """Are there steps that this database has not taken?"""
    return state() is State.OLD


def unfit() -> str | None:
    """Return a sentence when this release can't work with the tables as they are."""
    found = state()
    if found in SENTENCES:
        return SENTENCES[found]
    with db.engine().connect() as connection:
        missing = set(db.Base.metadata.tables) - set(sa.inspect(connection).get_table_names())
        if missing:
            return f"Tables are missing from the database: {', '.join(sorted(missing))}. Restore a backup."
        return grants.lacking(connection)


def warning() -> str | None:
    """Return a sentence when the database is newer than this release, which can still work with it."""
    return NEWER if state() is State.NEWER else None


def drift() -> list[Any]:
    """What the models have and the database lacks, or the other way round."""
    from alembic.autogenerate import compare_metadata  # noqa: PLC0415
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415

    with db.engine().connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "include_name": is_compared}
        )
        return list(compare_metadata(context, db.Base.metadata))


def is_compared(name: str | None, kind: str, _parents: object) -> bool:
    """Does a thing in the database belong to the models? Two indexes do not: each database has its own.

    `trigrams` makes one. The other finds customers by their email address in any letter case.
    """
    return kind != "index" or name not in {trigrams.NAME, "ix_customer_live_email"}


def _config(connection: Any = None) -> "Config":
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _taken(connection: sa.Connection) -> set[str]:
    """Return the last step that the database has taken, as Alembic notes it; none for an empty database."""
    if not sa.inspect(connection).has_table(compatibility.TABLE):
        return set()
    return set(connection.scalars(sa.text(f"SELECT version_num FROM {compatibility.TABLE}")))  # noqa: S608


@cache
def _steps() -> list[str]:
    """Return the revision of each step, the oldest first: the number with which its file's name begins."""
    return sorted(path.name.partition("_")[0] for path in (HERE / "versions").glob("[0-9]*.py"))


def _head() -> str:
    return _steps()[-1]
