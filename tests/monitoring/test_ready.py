"""A process is ready when the database answers, its tables fit the code, and the clock is right."""

import socket
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.core import db
from tests.conftest import make_settings
from tests.support.newer_database import newer_database

AWAY = ["The database does not answer."]


@pytest.fixture
def silent_database() -> Iterator[str]:
    """The URL of a database server that accepts connections and never answers, as behind a dead proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"postgresql+psycopg://gangway:hunter2@127.0.0.1:{listening.getsockname()[1]}/gangway"


def reasons(client: FlaskClient) -> list[str]:
    answer = client.get("/readyz")
    assert answer.status_code == (503 if answer.get_json().get("reasons") else 200)
    return list(answer.get_json().get("reasons", []))


@pytest.mark.parametrize("seconds", [2, 3600], ids=["given up", "stuck"])
def test_is_denied_soon_by_a_database_that_says_nothing(seconds: int, silent_database: str) -> None:
    url = f"{silent_database}?connect_timeout={seconds}"
    client = create_app(make_settings(database_url=url)).test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json() == {"status": "unavailable", "reasons": AWAY}
    assert client.get("/healthz").status_code == 200


def test_is_denied_while_the_database_is_stuck(client: FlaskClient, app: Flask) -> None:
    with app.app_context(), db.engine().connect() as other:
        if other.dialect.name != "postgresql":
            pytest.skip("on SQLite nothing can keep a reader waiting")
        other.execute(sa.text("LOCK TABLE alembic_version"))
        stuck = reasons(client)
        other.rollback()

    assert stuck == AWAY
    assert reasons(client) == []


@pytest.mark.own_app
def test_is_denied_when_tables_are_missing(client: FlaskClient, app: Flask) -> None:
    with app.app_context(), db.engine().begin() as connection:
        connection.exec_driver_sql("DROP TABLE signup")

    assert reasons(client) == ["Tables are missing from the database: signup. Restore a backup."]


@pytest.mark.parametrize(("seconds", "is_ready"), [(-90, False), (-30, True), (30, True), (90, False)])
def test_is_denied_when_the_clock_is_wrong(
    seconds: int,
    is_ready: bool,  # noqa: FBT001
    client: FlaskClient,
    clock: time_machine.Traveller,
    app: Flask,
) -> None:
    with app.app_context():
        if db.engine().dialect.name != "postgresql":
            pytest.skip("SQLite has no separate clock")
        with db.engine().connect() as connection:
            clock.move_to(connection.scalar(sa.text("SELECT clock_timestamp()")) + timedelta(seconds=seconds))

    assert (reasons(client) == []) == is_ready
    if not is_ready:
        [reason] = reasons(client)
        assert ("ahead of" if seconds > 0 else "behind") in reason


class TestNewerDatabase:
    """A newer release has changed the tables, and this one still runs."""

    @pytest.mark.parametrize(
        ("oldest_code", "status", "said"),
        [
            ("0001", 200, "still work with it"),
            ("9998", 503, "install the newer release"),
            (None, 503, "install"),
        ],
    )
    def test_is_served_when_its_steps_allow_it(
        self, oldest_code: str | None, status: int, said: str, client: FlaskClient, app: Flask
    ) -> None:
        with newer_database(app, oldest_code):
            answer = client.get("/readyz")

        body = answer.get_json()
        assert answer.status_code == status
        [sentence] = body["warnings"] if status == 200 else body["reasons"]
        assert said in sentence
