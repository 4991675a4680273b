"""The overview of a new installation says what to do first."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import operators, portal
from app.apps import App
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.console import operator, sign_in
from tests.support.console_overview import concerns, customer
from tests.support.profiles import publish_profiles


class TestFreshInstallation:
    """What the page says before the first customer."""

    def test_says_what_to_do_first(self, bare_app: Flask) -> None:
        page = Page.of(sign_in(bare_app).get("/operator/"))

        steps = page.one("ol", class_="steps")
        assert [step.one("h2").text for step in steps.all("li")] == [
            "Install your Stripe account",
            "Add your brand (done)",
            "Protect your account",
            "Connect your programs",
            "Share your sign-up page",
        ]
        assert page.one("input", id="once")["value"] == "http://127.0.0.1:8000/signup"
        assert not page.all("svg", role="img")

    def test_ticks_off_what_is_done(self, app: Flask) -> None:
        admin = operator(app, "admin", totp_enabled_at=utcnow())
        with app.app_context():
            operators.create_token(db.session(), "a job", scope="read", actor="test")
            db.session().commit()

        page = Page.of(sign_in(app, who=admin).get("/operator/"))

        ticked = [item for item in page.one("ol", class_="steps").all("li") if "step-done" in item["class"]]
        assert len(ticked) == 4

    def test_sends_nobody_where_they_may_not_go(self, app: Flask) -> None:
        page = Page.of(sign_in(app, "operator").get("/operator/"))

        for path in ("/operator/tokens", "/operator/portal"):
            assert not page.one("main").all("a", href=path)

    def test_leads_to_the_portal_for_the_brand(self, app: Flask) -> None:
        page = Page.of(sign_in(app).get("/operator/"))

        assert page.one("main").one("a", href="/operator/portal").text == "Go to the portal"
        assert "GANGWAY_" not in page.one("main").text

    def test_shows_trouble_as_well(self, app: Flask, console: FlaskClient) -> None:
        with app.app_context():
            db.session().execute(sa.update(App).values(status="unauthorized"))
            db.session().commit()

        assert list(concerns(console)) == ["1 Stripe rejects the API key"]

    def test_gives_way_to_the_numbers_with_the_first_customer(self, app: Flask, console: FlaskClient) -> None:
        customer(app)

        page = Page.of(console.get("/operator/"))

        assert not page.all("ol", class_="steps")


class TestUnnamedInstallation:
    """An application without a company name."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, company_name="Acme Cloud")

    def test_is_told_to_put_a_name_on_its_pages(self, app: Flask) -> None:
        page = Page.of(sign_in(app).get("/operator/"))

        step = page.one("ol", class_="steps").all("li")[1]
        assert "step-done" not in step["class"]


class TestNamedInTheConsole:
    """An application that no variable names."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        made = make_settings(database_url=database_url)
        named = made.model_fields_set - {"company_name"}
        return Settings.of({name: getattr(made, name) for name in named} | {"database_url": database_url})

    def test_is_branded(self, app: Flask) -> None:
        publish_profiles(app, portal.Profile(brand=portal.Brand(company_name="Nordwind")))

        page = Page.of(sign_in(app).get("/operator/"))

        assert "step-done" in page.one("ol", class_="steps").all("li")[1]["class"]
