"""`gangway db` keeps the tables up to date, and says when they are not."""

import shutil
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from app import migrations
from tests.support.commands import Run, environment
from tests.support.newer_database import newer_database
from tests.support.processes import PROCESS_MARKS, ROOT, start


def test_upgrades_an_empty_database_and_does_nothing_twice(run: Run, empty_database_url: str) -> None:
    before = run("db", "check", DATABASE_URL=empty_database_url)
    first, second = (run("db", "upgrade", DATABASE_URL=empty_database_url).output for _ in range(2))
    after = run("db", "check", DATABASE_URL=empty_database_url)

    assert before.exit_code == 1
    assert "Steps are pending" in before.output
    assert first.startswith("The database is up to date.")  # and on some servers, what the search misses
    assert second == first
    assert (after.exit_code, after.output) == (0, "The database fits the code.\n")


def test_downgrades_to_nothing_and_copies_sqlite_first(run: Run, database_url: str, tmp_path: Path) -> None:
    answer = run("db", "downgrade", "base", "--yes")

    assert answer.output.endswith("The database is at base.\n")
    if database_url.startswith("sqlite"):
        [copy] = tmp_path.glob("test-before-base-*.db")
        assert f"Copied the database to {copy} first.\n" in answer.output
        assert run("db", "check", DATABASE_URL=f"sqlite:///{copy}").exit_code == 0
    assert run("db", "check").exit_code == 1


@pytest.mark.parametrize("target", ["nonsense", "../x", "00", "head", "9999", "base:head", ""])
def test_downgrades_to_known_revisions_only(target: str, run: Run, tmp_path: Path) -> None:
    answer = run("db", "downgrade", target, "--yes")

    assert answer.exit_code == 1
    assert (
        f"The database can't go back to {target!r}. Name one of these revisions: base, 0001" in answer.output
    )
    assert list(tmp_path.rglob("*before*")) == []
    assert run("db", "check").exit_code == 0


def test_downgrades_an_empty_database_to_nothing_else(run: Run, empty_database_url: str) -> None:
    answer = run("db", "downgrade", "0001", "--yes", DATABASE_URL=empty_database_url)

    assert answer.exit_code == 1
    assert answer.output.endswith("Name one of these revisions: base.\n")


def test_downgrades_nothing_unasked_without_a_terminal(run: Run) -> None:
    answer = run("db", "downgrade", "base")

    assert answer.exit_code == 2
    assert "add --yes" in answer.output
    assert run("db", "check").exit_code == 0


def test_tells_drift(run: Run, database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE signup")
    engine.dispose()

    answer = run("db", "check")

    assert answer.exit_code == 1
    assert "signup" in answer.output


@pytest.mark.parametrize("oldest_code", ["0001", "9998"])
@pytest.mark.parametrize("command", ["upgrade", "downgrade base --yes", "check"])
def test_leaves_a_newer_database_to_the_newer_release(
    command: str, oldest_code: str, app: Flask, run: Run
) -> None:
    with newer_database(app, oldest_code):
        answer = run("db", *command.split())

    assert answer.exit_code == 1
    assert answer.output.endswith("install the newer release.\n")


def test_notes_the_oldest_code_that_can_work_with_the_tables(run: Run, empty_database_url: str) -> None:
    run("db", "upgrade", DATABASE_URL=empty_database_url)
    engine = sa.create_engine(empty_database_url)
    with engine.connect() as connection:
        row = connection.execute(sa.text("SELECT * FROM alembic_version")).one()
    engine.dispose()

    assert row.oldest_code is not None
    assert row.oldest_code <= row.version_num


class TestRevision:
    """In another process, with a copy of the code that it writes to."""

    pytestmark = PROCESS_MARKS

    def test_numbers_a_new_step_after_the_last(self, database_url: str, tmp_path: Path) -> None:
        shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
        steps = sorted(path.name for path in Path(migrations.__file__).parent.glob("versions/*.py"))
        command = (sys.executable, "-m", "app", "db", "revision", "count tries")

        with start(*command, environment=environment(database_url), folder=tmp_path) as program:
            status, printed, _ = program.end()

        written = {path.name for path in tmp_path.glob("app/migrations/versions/*.py")} - set(steps)
        assert status == 0, printed
        assert written == {f"{int(steps[-1][:4]) + 1:04}_count_tries.py"}

    def test_names_the_condition_of_an_index_for_both_databases(
        self, database_url: str, tmp_path: Path
    ) -> None:
        shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
        models = tmp_path / "app/payers/models.py"
        models.write_text(models.read_text().replace("ix_payer_blocked", "ix_payer_stopped"))
        command = (sys.executable, "-m", "app", "db", "revision", "rename an index")

        with start(*command, environment=environment(database_url), folder=tmp_path) as program:
            status, printed, _ = program.end()

        assert status == 0, printed
        [written] = tmp_path.glob("app/migrations/versions/*_rename_an_index.py")
        condition = "where=sa.text('blocked_at IS NOT NULL')"
        _, _, made = written.read_text().partition("create_index('ix_payer_stopped'")
        assert f"sqlite_{condition}" in made.partition("\n")[0]
        assert f"postgresql_{condition}" in made.partition("\n")[0]
