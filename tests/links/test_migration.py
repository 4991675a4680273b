"""The step that brings links, on a database in which people have signed up already."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError

from app import create_app, migrations
from app.core import db
from tests.conftest import make_settings

ADA, BOB, LINK = "01JCZZZZZZZZZZZZZZZZZZZZZA", "01JCZZZZZZZZZZZZZZZZZZZZZB", "01JCZZZZZZZZZZZZZZZZZZZZZC"
CUSTOMER = "INSERT INTO customer (id, name, created_at, updated_at) VALUES (:who, 'x', :now, :now)"
SIGNUP = "INSERT INTO signup (customer_id, browser_hash, created_at) VALUES (:who, :browser, :now)"
GUEST = (
    "INSERT INTO signup (customer_id, browser_hash, link_id, created_at) VALUES (:who, :browser, :link, :now)"
)
GIVEN = (
    "INSERT INTO onboarding_link (id, customer_id, token_hash, created_by, created_at, expires_at, uses)"
    " VALUES (:link, :who, 'hash', 'test', :now, :now, 0)"
)


@pytest.fixture
def old(empty_database_url: str) -> Iterator[Flask]:
    """A database as the version before left it, with two who signed up in one browser."""
    app = create_app(make_settings(database_url=empty_database_url))
    with app.app_context():
        migrations.upgrade("0002")
        for customer_id in (ADA, BOB):
            run(CUSTOMER, who=customer_id)
            run(SIGNUP, who=customer_id, browser="one")
        yield app
        db.session().close()
        db.engine().dispose()


def run(statement: str, **values: str | None) -> None:
    session = db.session()
    try:
        session.execute(sa.text(statement), values | {"now": "2026-01-01 00:00:00+00:00"})
        session.commit()
    except IntegrityError:
        session.rollback()
        raise


def browsers() -> list[tuple[str, str]]:
    rows = db.session().execute(sa.text("SELECT customer_id, browser_hash FROM signup ORDER BY 1, 2"))
    found = [(row.customer_id, row.browser_hash) for row in rows]
    db.session().commit()
    return found


def test_keeps_every_sign_up(old: Flask) -> None:
    migrations.upgrade("0003")

    assert browsers() == [(ADA, "one"), (BOB, "one")]


def test_lets_others_come_by_a_link_and_nobody_sign_up_twice(old: Flask) -> None:
    migrations.upgrade("0003")
    run(GIVEN, who=ADA, link=LINK)

    run(GUEST, who=ADA, browser="two", link=LINK)
    with pytest.raises(IntegrityError):
        run(GUEST, who=ADA, browser="two", link=LINK)
    with pytest.raises(IntegrityError):
        run(SIGNUP, who=ADA, browser="three")

    assert browsers() == [(ADA, "one"), (ADA, "two"), (BOB, "one")]


def test_forgets_who_came_by_a_link_when_it_is_taken_back(old: Flask) -> None:
    migrations.upgrade("0003")
    run(GIVEN, who=ADA, link=LINK)
    run(GUEST, who=ADA, browser="two", link=LINK)

    migrations.downgrade("0002")

    assert browsers() == [(ADA, "one"), (BOB, "one")]
    with pytest.raises(IntegrityError):
        run(SIGNUP, who=ADA, browser="three")
