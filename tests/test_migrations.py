"""The migrations."""

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app, db, migrations
from tests.conftest import make_settings


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Flask]:
    """An application whose database has nothing in it."""
    app = create_app(make_settings(database_url=empty_database_url))
    with app.app_context():
        yield app
        db.session().close()
        db.engine().dispose()


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
