"""What an installation still lacks, and what is doubtful about it."""

from collections.abc import Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from app import apps, migrations
from app.core import db, files
from app.core.config.brand import MAX_CSS_BYTES
from app.core.environment import Sources
from app.core.errors import NotFound
from app.core.secrets import resealing

MAX_NAMED = 20  # paths; more of them say nothing new
SQLITE_SIDE_FILES = ("", "-wal", "-shm", "-journal")


def look_into_database() -> tuple[list[str], list[str]]:
    """Return what prevents serving, and what is doubtful: a sentence each."""
    file = db.sqlite_file(db.engine().url)
    if file is not None and file.parent.is_dir() and not file.exists():
        return ["There is no database yet: run `gangway db upgrade`."], []
    try:
        if reason := migrations.unfit():
            return [reason], []
        session = db.session()
        problems = [] if resealing.opens_one(session) else [_closed_secrets()]
        try:
            apps.find(session)
        except NotFound:
            problems.append("No Stripe app is installed: run `gangway stripe install`.")
    except SQLAlchemyError as error:
        return [db.explain(error) or "The database does not answer: check GANGWAY_DATABASE_URL."], []
    warning = migrations.warning()
    return problems, [] if warning is None else [warning]


def _closed_secrets() -> str:
    return (
        "GANGWAY_ENCRYPTION_KEYS opens none of the secrets in the database: put back the key that sealed"
        " them."
    )


def open_to_others(sources: Sources, database_url: str | None) -> list[str]:
    """Return a sentence for each of our files and folders that others can read, and how to close it."""
    found = [path for path in _own_paths(sources, database_url) if files.is_open_to_others(path)]
    named = [f"Others can open {path}: run `chmod go= {path}`." for path in found[:MAX_NAMED]]
    more = len(found) - len(named)
    return [*named, f"Others can open {more} more files there."] if more else named


def too_large_css(sources: Sources) -> list[str]:
    """Return a sentence for each CSS file in the data folder that no page uses, because it is too large."""
    found = sorted(sources.data_folder.glob("custom*.css"))
    return [
        f"No page uses {path}, because it is over 200 kB."
        for path in found
        if path.is_file() and path.stat().st_size > MAX_CSS_BYTES
    ]


def _own_paths(sources: Sources, database_url: str | None) -> Iterator[Path]:
    seen: set[Path] = set()
    for path in _candidates(sources, database_url):
        if path not in seen:
            seen.add(path)
            yield path


def _candidates(sources: Sources, database_url: str | None) -> Iterator[Path]:
    if sources.env_file is not None:
        yield sources.env_file
    if database_url is not None and (database := db.sqlite_file(sa.make_url(database_url))):
        yield from (Path(f"{database}{suffix}") for suffix in SQLITE_SIDE_FILES)
    if not sources.data_folder.is_dir():
        return
    yield sources.data_folder
    for path in sorted(sources.data_folder.rglob("*")):
        if path.name != ".gitignore":  # a checkout's
            yield path
