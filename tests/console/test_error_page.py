"""Errors in the console appear in the frame of the console."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.core import db
from app.core.errors import Conflict
from app.operators import OperatorPages, Role
from tests.support.browser import Page
from tests.support.console import sign_in

pytestmark = pytest.mark.own_app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A viewer before a console with some pages that fail."""
    pages = OperatorPages("failing", __name__)

    @pages.page("/failing/explained", role=Role.VIEWER)
    def explained() -> str:
        raise Conflict("conflict error: somebody was quicker")

    @pages.page("/failing/bug", role=Role.VIEWER)
    def bug() -> str:
        raise RuntimeError("secret thing")

    @pages.page("/failing/database", role=Role.VIEWER)
    def database() -> str:
        db.session().execute(sa.text("ALTER TABLE operator RENAME TO lost"))
        db.session().commit()
        db.session().execute(sa.text("SELECT 1"))  # rolled back with this, all that was read is forgotten
        raise RuntimeError("secret thing")

    app.register_blueprint(pages)
    return sign_in(app, "viewer")


def test_a_failure_that_can_be_explained_is(client: FlaskClient) -> None:
    answer = client.get("/operator/failing/explained")

    page = Page.of(answer)
    assert answer.status_code == 409
    assert "Somebody was quicker" in page.text
    assert "conflict error" not in page.text
    assert page.one("nav", id="console-nav")


def test_a_bug_tells_nothing_but_its_number(client: FlaskClient) -> None:
    answer = client.get("/operator/failing/bug")

    page = Page.of(answer)
    assert answer.status_code == 500
    assert "secret thing" not in page.html
    assert answer.headers["X-Request-Id"] in page.text
    assert page.one("nav", id="console-nav")


def test_a_console_that_no_longer_knows_its_operator_says_so_anyway(client: FlaskClient) -> None:
    answer = client.get("/operator/failing/database")

    page = Page.of(answer)
    assert answer.status_code == 500
    assert page.h1 == "Something went wrong"
    assert page.all("nav") == []


def test_whoever_is_not_logged_in_gets_no_menu(app: Flask) -> None:
    answers = [app.test_client().get(path) for path in ("/operator/no/such/page", "/operator")]

    assert {answer.status_code for answer in answers} <= {303, 308, 404}
    assert Page.of(answers[0]).all("nav") == []


def test_programs_and_customers_are_told_as_before(app: Flask) -> None:
    client = app.test_client()

    assert client.get("/api/v1/nothing").mimetype == "application/problem+json"
    assert Page.of(client.get("/operatorless")).all("a", href="/signup")
