"""Migrations make the models' tables on both databases, keep what is stored, and lock no table for long."""

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy.orm import Session

from app import create_app, migrations
from app.core import db
from app.core.errors import Conflict
from app.migrations import columns, compatibility, indexes, locks
from app.payers import Payer
from tests.conftest import make_settings
from tests.support.processes import wait_until

WRITES = "LOCK TABLE payer IN ROW EXCLUSIVE MODE"  # what every statement that writes takes


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Flask]:
    """An application with an empty database."""
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


OLD_ROWS = (
    "INSERT INTO customer (id, name, created_at, updated_at) VALUES ('1', 'A', '2026-01-01', '2026-01-01')",
    """INSERT INTO app (id, name, status, stripe_account_id, livemode, api_key_sealed, masked_api_key,
    webhook_endpoint_id, is_default, created_at, updated_at)
    VALUES ('2', 'Stripe', 'ready', 'acct_1', false, '', '', '', true, '2026-01-01', '2026-01-01')""",
    """INSERT INTO payer (id, app_id, customer_id, stripe_customer_id, created_at, hints, attempts)
    VALUES ('3', '2', '1', 'cus_1', '2026-01-01', 0, 0)""",
    """INSERT INTO checkout_session
    (id, payer_id, setup_intent_id, status, setup_status, expires_at, created_at)
    VALUES ('cs_1', '3', 'seti_1', 'open', 'requires_payment_method', '2026-01-02', '2026-01-01')""",
    "INSERT INTO signup (customer_id, browser_hash, created_at) VALUES ('1', '', '2026-01-01')",
)


def test_keep_what_was_opened_before_rows_were_reserved(empty: Flask) -> None:
    migrations.upgrade("0001")
    execute(*OLD_ROWS)

    migrations.upgrade()

    session = db.session()
    [opened] = session.execute(sa.text("SELECT * FROM checkout_session"))
    [payer] = session.execute(sa.text("SELECT * FROM payer"))
    assert (opened.id, opened.stripe_session_id, opened.is_current) == ("cs_1", "cs_1", False)
    assert (payer.stripe_customer_id, payer.attempt) == ("cus_1", 1)


def test_lose_only_what_is_reserved_on_the_way_back(empty: Flask) -> None:
    migrations.upgrade("0001")
    execute(*OLD_ROWS)
    migrations.upgrade("0002")
    execute(
        "UPDATE checkout_session SET id = 'ours'",
        "INSERT INTO payer (id, app_id, customer_id, created_at, deleted_at, hints, attempts)"
        " VALUES ('4', '2', '1', '2026-01-01', '2026-01-01', 0, 0)",
        "INSERT INTO checkout_session (id, payer_id, status, setup_status, expires_at, created_at)"
        " VALUES ('reserved', '3', 'reserved', '', '2026-01-02', '2026-01-01')",
    )

    migrations.downgrade("0001")

    session = db.session()
    assert list(session.scalars(sa.text("SELECT id FROM checkout_session"))) == ["cs_1"]
    assert list(session.scalars(sa.text("SELECT id FROM payer"))) == ["3"]


NAMED_ROWS = (
    "INSERT INTO journal_entry (id, at, kind, actor, facts) VALUES ('1', '2026-01-01', 'a', 'b', '{}')",
    """INSERT INTO pace (app_id, served_at, free_at, failures, is_throttled, drifts)
    VALUES ('2', '2026-01-01', '2026-01-01', 3, false, 0)""",
)


def test_keep_the_rows_of_renamed_tables(empty: Flask) -> None:
    migrations.upgrade("0001")
    execute(*OLD_ROWS, *NAMED_ROWS)

    migrations.upgrade()
    up = db.session()
    after = (up.scalar(sa.text("SELECT kind FROM audit_entry")), failures(up, "rate_budget"))
    up.close()
    migrations.downgrade("0008")

    assert after == ("a", 3)
    assert db.session().scalar(sa.text("SELECT kind FROM journal_entry")) == "a"
    assert failures(db.session(), "pace") == 3


def test_note_on_which_day_the_customers_of_payers_signed_up(
    empty: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrations.upgrade("0001")
    execute(*OLD_ROWS)
    migrations.upgrade("0012")
    payer = "INSERT INTO payer (id, app_id, customer_id, created_at, deleted_at, generation, attempts)"
    execute(
        "INSERT INTO customer (id, name, created_at, updated_at)"
        " VALUES ('2', 'B', '2026-02-02 23:59:59+00:00', '2026-02-02')",
        f"{payer} VALUES ('4', '2', '2', '2026-03-03', NULL, 0, 0)",
        f"{payer} VALUES ('5', '2', '2', '2026-03-03', '2026-03-04', 0, 0)",
    )
    monkeypatch.setattr(columns, "BATCH", 2)

    migrations.upgrade()
    days = {row.id: row.signed_up_on for row in db.session().execute(sa.select(Payer.id, Payer.signed_up_on))}
    db.session().close()
    migrations.downgrade("0012")
    kept = list(db.session().scalars(sa.text("SELECT id FROM payer ORDER BY id")))

    assert days.pop("3") is not None
    assert days == {"4": date(2026, 2, 2), "5": date(2026, 2, 2)}
    assert kept == ["3", "4", "5"]


def failures(session: Session, table: str) -> int:
    return int(session.scalars(sa.text(f"SELECT failures FROM {table}")).one())  # noqa: S608 (our own names)


def test_on_postgresql_let_older_code_use_the_old_names(on_postgresql: Flask) -> None:
    migrations.upgrade()

    execute(
        OLD_ROWS[1],
        *NAMED_ROWS,
        f"{NAMED_ROWS[1]} ON CONFLICT (app_id) DO UPDATE SET failures = 4",
        "UPDATE pace SET failures = failures + 1 WHERE app_id = '2'",
    )

    assert db.session().scalar(sa.text("SELECT kind FROM audit_entry")) == "a"
    assert failures(db.session(), "rate_budget") == 5
    assert db.session().scalar(sa.text("SELECT failures FROM pace FOR UPDATE SKIP LOCKED")) == 5


def change_indexes(change: Callable[[], None]) -> None:
    """Make or drop an index as a step does."""
    with db.engine().connect() as connection:
        context = MigrationContext.configure(connection, opts={"transaction_per_migration": True})
        with Operations.context(context), context.begin_transaction(_per_migration=True):
            change()


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda: indexes.make("ix_tried", "payer", ["created_at"]), id="make"),
        pytest.param(lambda: indexes.drop("ix_tried", "payer"), id="drop"),
    ],
)
def test_on_postgresql_make_and_drop_indexes_while_others_write(
    change: Callable[[], None], on_postgresql: Flask
) -> None:
    migrations.upgrade()
    execute("CREATE INDEX ix_tried ON payer (created_at)")  # an earlier try may have left it half made

    with db.engine().connect() as writer:
        writer.execute(sa.text(WRITES))  # and goes on for longer than a step would wait for a table
        with meanwhile(on_postgresql, lambda: change_indexes(change)) as stepped:
            try:
                wait_until(lambda: is_waiting(locks.LOCK_TIMEOUT + 1))
                execute("SET LOCAL lock_timeout = '1s'", WRITES)
            finally:
                writer.rollback()
            stepped.result()


def test_on_postgresql_let_nobody_wait_long_behind_them(on_postgresql: Flask) -> None:
    migrations.upgrade("0001")

    with db.engine().connect() as dump:
        dump.execute(sa.text("SELECT * FROM payer"))
        with pytest.raises(Conflict, match=r"in use for more than 3 seconds\. .* Run the command again"):
            migrations.upgrade()

    migrations.upgrade()
    assert not migrations.pending()


def test_on_postgresql_leave_no_limit_behind(on_postgresql: Flask) -> None:
    migrations.upgrade()

    with db.engine().connect() as connection:
        assert connection.scalar(sa.text("SHOW lock_timeout")) == "0"


def test_on_postgresql_let_others_read_while_a_new_column_is_filled(on_postgresql: Flask) -> None:
    migrations.upgrade("0001")
    execute(*OLD_ROWS)
    read = []

    def look(_connection: object, _cursor: object, statement: str, *_rest: Any) -> None:
        if statement.startswith("UPDATE checkout_session "):
            execute("SET LOCAL lock_timeout = '1s'", "SELECT * FROM checkout_session")
            read.append(statement)

    sa.event.listen(db.engine(), "after_cursor_execute", look)
    migrations.upgrade("0002")

    assert len(read) == 1


def execute(*statements: str) -> None:
    """Run statements in one separate transaction."""
    with db.engine().begin() as connection:
        for statement in statements:
            connection.execute(sa.text(statement))


@contextmanager
def meanwhile(app: Flask, step: Callable[[], object]) -> Iterator[Future[None]]:
    """Take a step in another thread."""

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
    """Is this a PostgreSQL that can index the search?"""
    if db.engine().dialect.name != "postgresql":
        return False
    with db.engine().connect() as connection:
        offered = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
        return bool(connection.scalar(sa.text(offered)))


def is_search_indexed() -> bool:
    """Is the index there?"""
    indexes = sa.inspect(db.engine()).get_indexes("customer")
    return "ix_customer_search" in {index["name"] for index in indexes}


def test_name_the_oldest_code_that_can_work_with_the_tables() -> None:
    directory = ScriptDirectory(str(Path(migrations.__file__).parent))
    steps = {step.revision: vars(step.module).get("oldest_code") for step in directory.walk_revisions()}
    named = [
        (revision, one)
        for revision, oldest in steps.items()
        for one in (oldest.values() if isinstance(oldest, dict) else [oldest])
    ]

    assert [(revision, one) for revision, one in named if one not in steps or one > revision] == []


@pytest.mark.usefixtures("empty")
def test_tell_older_code_to_stop_where_it_could_not_write_the_audit_log() -> None:
    migrations.upgrade("0009")

    with db.engine().connect() as connection:
        oldest = compatibility.oldest_code(connection)

    assert oldest == {"postgresql": "0003", "sqlite": "0009"}[db.engine().dialect.name]
