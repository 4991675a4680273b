"""A command says in one sentence what is wrong with the database and what to do."""

import sqlite3
import uuid
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import Result

from tests.support.commands import Run

COMMANDS = (
    "check",
    "db upgrade",
    "operator list",
    "serve",
    "doctor",
    "db downgrade base --yes",
    "backup copy",
)
SOME = ("operator list", "backup copy")  # a file that does not exist is another case for a backup


def broken(run: Run, command: str, path: Path | str) -> Result:
    """Run a command on this database; it must fail in one sentence."""
    answer = run(*command.split(), DATABASE_URL=f"sqlite:///{path}")
    assert answer.exit_code in {1, 3}, answer.output
    assert answer.exception is None or isinstance(answer.exception, SystemExit)
    return answer


@pytest.mark.parametrize("command", COMMANDS)
def test_names_a_file_that_is_no_database(command: str, run: Run, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no database " * 100)

    answer = broken(run, command, tmp_path / "notes.txt")

    assert "is not a SQLite database" in answer.output


@pytest.mark.parametrize("command", SOME)
def test_names_a_folder_that_does_not_exist(command: str, run: Run, tmp_path: Path) -> None:
    answer = broken(run, command, tmp_path / "nowhere" / "x.db")

    assert f"There is no folder {tmp_path / 'nowhere'}" in answer.output


@pytest.mark.parametrize("command", SOME)
def test_says_that_a_folder_is_no_file(command: str, run: Run, tmp_path: Path) -> None:
    answer = broken(run, command, tmp_path)

    assert "is a folder, not a database file" in answer.output


@pytest.mark.parametrize("command", ["db upgrade", "operator list"])
def test_names_a_folder_where_this_user_may_not_write(command: str, run: Run) -> None:
    answer = broken(run, command, "/proc/x.db")

    assert "This user may not write the database x.db in /proc" in answer.output


def test_advises_to_restore_a_backup_of_a_damaged_file(run: Run, database_url: str) -> None:
    if not database_url.startswith("sqlite"):
        pytest.skip("the file of a SQLite database")
    path = Path(database_url.removeprefix("sqlite:///"))
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * (path.stat().st_size - 100))

    answer = run("operator", "list")

    assert answer.exit_code == 1
    assert "The database file is damaged: restore a backup." in answer.output


class TestPostgresql:
    """On a server, what a user may not do."""

    @pytest.fixture
    def plain_url(self, database_url: str) -> sa.URL:
        """The URL of the database for a new user who may do nothing with its tables."""
        if database_url.startswith("sqlite"):
            pytest.skip("SQLite has no users")
        role = f"plain_{uuid.uuid4().hex}"
        engine = sa.create_engine(database_url)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        engine.dispose()
        return sa.make_url(database_url).set(username=role)

    def test_says_which_right_is_missing(self, plain_url: sa.URL, run: Run) -> None:
        answer = run("operator", "list", DATABASE_URL=plain_url.render_as_string(hide_password=False))

        assert answer.exit_code == 1
        assert "The database refuses its user something (permission denied for table" in answer.output

    def test_says_that_there_is_no_such_database(self, plain_url: sa.URL, run: Run) -> None:
        url = plain_url.set(database="no_such_database")

        answer = run("operator", "list", DATABASE_URL=url.render_as_string(hide_password=False))

        assert "There is no database of that name" in answer.output

    def test_says_that_the_user_is_not_let_in(self, plain_url: sa.URL, run: Run) -> None:
        url = plain_url.set(username="nobody_at_all")

        answer = run("operator", "list", DATABASE_URL=url.render_as_string(hide_password=False))

        assert "The database does not let this user in" in answer.output
