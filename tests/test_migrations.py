"""Migrations make the models' tables on both databases, keep what is stored, and lock no table for long."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask

from app import create_app, migrations
from app.core import db
from app.core.errors import Conflict
from app.migrations import locks
from tests.conftest import make_settings
from tests.support.processes import wait_until

WRITES = "LOCK TABLE payer IN ROW EXCLUSIVE MODE"  # what every statement that writes takes


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Flask]:
    """An application whose database has nothing in it."""
    app = create_app(make_settings(database_url=empty_database_url))
    with app.app_context():
        yield app
        db.session().close()
        db.engine().dispose()


@pytest.fixture
def on_postgresql(empty: Flask) -> Flask:
    """The same, where others may use a table while a step waits for it."""
    if db.engine().dialect.name != "postgresql":
        pytest.skip("SQLite has one lock for all tables")
    return empty


def tables() -> set[str]:
    return set(sa.inspect(db.engine()).get_table_names()) - {"alembic_version"}


def test_make_every_table_of_the_models(empty: Flask) -> None:
    assert migrations.pending()

    migrations.upgrade()

    assert tables() == set(db.Base.metadata.tables)
    assert not migrations.pending()
    assert migrations.drift() == []


def test_go_down_to_nothing_and_up_again(empty: Flask) -> None:
    migrations.upgrade()

    migrations.downgrade("base")
    left = tables()
    migrations.upgrade()

    assert left == set()
    assert tables() == set(db.Base.metadata.tables)
    assert migrations.drift() == []


def test_change_nothing_when_all_is_there(empty: Flask) -> None:
    migrations.upgrade()
    migrations.upgrade()

    assert not migrations.pending()


def test_see_what_the_database_lacks(empty: Flask) -> None:
    migrations.upgrade()
    session = db.session()
    session.execute(sa.text("DROP TABLE signup"))
    session.commit()

    assert next(difference[0] for difference in migrations.drift()) == "add_table"


def test_keep_rows_that_stand_in_each_others_way_apart(empty: Flask) -> None:
    migrations.upgrade()
    inspector = sa.inspect(db.engine())

    unique = {
        index["name"]
        for table in ("customer", "subject_key", "app")
        for index in inspector.get_indexes(table)
        if index["unique"]
    }

    assert {"uq_customer_key_live", "uq_subject_key_live", "uq_app_account_live", "uq_app_default"} <= unique


def test_give_customers_that_are_there_the_text_to_search_them_by(empty: Flask) -> None:
    migrations.upgrade("0005")
    session = db.session()
    insert = (
        "INSERT INTO customer (id, name, key, primary_email, created_at, updated_at)"
        " VALUES (:id, :name, :key, 'A@b', '2026-01-01', '2026-01-01')"
    )
    rows = [{"id": f"01{n:024}", "name": f"Ärzte {n}", "key": f"K-{n}"} for n in range(2_003)]
    session.execute(sa.text(insert), rows)
    subject = {"customer": rows[2_002]["id"], "key": "Meter"}
    session.execute(sa.text("INSERT INTO subject_key (customer_id, key) VALUES (:customer, :key)"), subject)
    session.commit()

    migrations.upgrade()

    found = {row.id: row.search_text for row in session.execute(sa.text("SELECT * FROM customer"))}
    assert len(found) == 2_003
    assert found[rows[0]["id"]] == "\narzte 0\na@b\nk-0"
    assert found[rows[2_002]["id"]] == "\narzte 2002\na@b\nk-2002\nmeter"


@pytest.mark.parametrize(
    ("since", "is_there", "step"),
    [
        pytest.param("0008", False, lambda: migrations.upgrade("0009"), id="make"),
        pytest.param(
            "0008", True, lambda: migrations.upgrade("0009"), id="make again"
        ),  # it may be half made
        pytest.param("0009", True, lambda: migrations.downgrade("0008"), id="drop"),
    ],
)
def test_on_postgresql_make_and_drop_indexes_while_others_write(
    since: str,
    is_there: bool,  # noqa: FBT001
    step: Callable[[], object],
    on_postgresql: Flask,
) -> None:
    migrations.upgrade("0009")
    execute(f"UPDATE alembic_version SET version_num = '{since}'")  # noqa: S608
    if not is_there:
        execute("DROP INDEX ix_payer_wanted")

    with db.engine().connect() as writer:
        writer.execute(sa.text(WRITES))  # and goes on for longer than a step would wait for a table
        with meanwhile(on_postgresql, step) as stepped:
            try:
                wait_until(lambda: is_waiting(locks.LONGEST + 1))
                execute("SET LOCAL lock_timeout = '1s'", WRITES)
            finally:
                writer.rollback()
            stepped.result()

    migrations.upgrade()
    assert migrations.drift() == []


def test_on_postgresql_let_nobody_wait_long_behind_them(on_postgresql: Flask) -> None:
    migrations.upgrade("0008")

    with db.engine().connect() as dump:
        dump.execute(sa.text("SELECT * FROM payer"))
        with pytest.raises(Conflict, match=r"in use for more than 3 seconds, .* run the command again"):
            migrations.upgrade()

    migrations.upgrade()
    assert not migrations.pending()


def test_on_postgresql_leave_no_limit_behind(on_postgresql: Flask) -> None:
    migrations.upgrade()

    with db.engine().connect() as connection:
        assert connection.scalar(sa.text("SHOW lock_timeout")) == "0"


@pytest.mark.parametrize(("version", "table"), [("0006", "customer"), ("0008", "signup")])
def test_on_postgresql_let_others_read_while_a_new_column_is_filled(
    version: str, table: str, on_postgresql: Flask
) -> None:
    migrations.upgrade("0005")
    customer = "INSERT INTO customer (id, name, created_at, updated_at) VALUES ('1', 'A', now(), now())"
    execute(customer, "INSERT INTO signup (customer_id, browser_hash, created_at) VALUES ('1', '', now())")
    read = []

    def look(_connection: object, _cursor: object, statement: str, *_rest: Any) -> None:
        if statement.startswith(f"UPDATE {table} "):
            execute("SET LOCAL lock_timeout = '1s'", f"SELECT * FROM {table}")  # noqa: S608
            read.append(table)

    sa.event.listen(db.engine(), "after_cursor_execute", look)
    migrations.upgrade(version)

    assert read == [table]


def execute(*statements: str) -> None:
    """Run statements in one transaction of their own."""
    with db.engine().begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


@contextmanager
def meanwhile(app: Flask, step: Callable[[], object]) -> Iterator[Future[None]]:
    """Take a step in a thread of its own."""

    def take() -> None:
        with app.app_context():
            step()

    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(take)


def is_waiting(seconds: float) -> bool:
    """Has somebody waited for that long who makes or drops an index?"""
    waits = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%INDEX%'"
        " AND wait_event_type = 'Lock' AND clock_timestamp() - query_start > make_interval(secs => :seconds)"
    )
    with db.engine().connect() as connection:
        return bool(connection.scalar(sa.text(waits), {"seconds": seconds}))


def test_index_the_search_where_the_database_can(empty: Flask) -> None:
    advice = migrations.upgrade()

    assert is_search_indexed() == offers_trigrams()
    if db.engine().dialect.name == "sqlite" or offers_trigrams():
        assert advice is None
    else:
        assert advice is not None
        assert "pg_trgm" in advice
    assert migrations.drift() == []


def test_index_the_search_as_soon_as_somebody_has_let_them(empty: Flask) -> None:
    if not offers_trigrams():
        pytest.skip("wants PostgreSQL with pg_trgm: name one in GANGWAY_TEST_POSTGRES")
    role = f"plain_{uuid.uuid4().hex}"
    url = db.engine().url
    with db.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as superuser:
        superuser.exec_driver_sql(f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}")
        plain = create_app(make_settings(database_url=str(url.set(username=role))))
        with plain.app_context():
            advice = migrations.upgrade()
            without = is_search_indexed()

            superuser.exec_driver_sql("CREATE EXTENSION pg_trgm")
            again = migrations.upgrade()
            indexed = is_search_indexed()
            db.engine().dispose()
        superuser.exec_driver_sql(f"DROP OWNED BY {role}; DROP ROLE {role}")

    assert advice is not None
    assert "let a superuser run `CREATE EXTENSION pg_trgm`" in advice
    assert (without, again, indexed) == (False, None, True)


def offers_trigrams() -> bool:
    """Is this a PostgreSQL on which the search can be indexed?"""
    if db.engine().dialect.name != "postgresql":
        return False
    with db.engine().connect() as connection:
        offered = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
        return bool(connection.scalar(sa.text(offered)))


def is_search_indexed() -> bool:
    """Is the index there?"""
    indexes = sa.inspect(db.engine()).get_indexes("customer")
    return "ix_customer_search" in {index["name"] for index in indexes}


def test_number_tokens_that_share_a_name(empty: Flask) -> None:
    migrations.upgrade("0017")
    insert = sa.text(
        "INSERT INTO api_token (id, name, scope, secret_hash, created_at, revoked_at)"
        " VALUES (:id, :name, 'read', '', '2026-01-01', :revoked_at)"
    )
    names = ["job", "job", "job (2)", "job"]
    rows = [{"id": f"01{n:024}", "name": name, "revoked_at": None} for n, name in enumerate(names)]
    with db.engine().begin() as connection:
        connection.execute(insert, [*rows, {"id": "02", "name": "job", "revoked_at": "2026-01-02"}])

    migrations.upgrade()

    with db.engine().connect() as connection:
        found = [row.name for row in connection.execute(sa.text("SELECT * FROM api_token ORDER BY id"))]
    assert found == ["job", "job (2)", "job (2) (2)", "job (3)", "job"]


def test_name_the_oldest_code_that_can_work_with_the_tables() -> None:
    directory = ScriptDirectory(str(Path(migrations.__file__).parent))
    steps = {step.revision: vars(step.module).get("oldest_code") for step in directory.walk_revisions()}

    assert {
        revision for revision, oldest in steps.items() if oldest not in steps or oldest > revision
    } == set()
