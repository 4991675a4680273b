"""The migrations."""

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
