"""`gangway db` keeps the tables up to date, and says when they are not."""

import sqlalchemy as sa

from tests.support.commands import Run


def test_upgrades_an_empty_database_and_does_nothing_twice(run: Run, empty_database_url: str) -> None:
    before = run("db", "check", DATABASE_URL=empty_database_url)
    first, second = (run("db", "upgrade", DATABASE_URL=empty_database_url).output for _ in range(2))
    after = run("db", "check", DATABASE_URL=empty_database_url)

    assert before.exit_code == 1
    assert "Steps are pending" in before.output
    assert first.startswith("The database is up to date.")  # and on some servers, what the search misses
    assert second == first
    assert (after.exit_code, after.output) == (0, "The database fits the code.\n")


def test_downgrades_to_nothing(run: Run) -> None:
    answer = run("db", "downgrade", "base")

    assert answer.output == "The database is at base.\n"
    assert run("db", "check").exit_code == 1


def test_tells_drift(run: Run, database_url: str) -> None:
    engine = sa.create_engine(database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE signup")
    engine.dispose()

    answer = run("db", "check")

    assert answer.exit_code == 1
    assert "signup" in answer.output
