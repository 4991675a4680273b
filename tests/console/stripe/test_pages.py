"""Every operator sees the installed Stripe apps, their state and the last examination, and on every page
whether the portal is in test mode."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import apps, doctor
from app.apps.models import App
from app.core import db
from app.core.config import Settings
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, revoke_key
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import post, sign_in
from tests.support.console_stripe import STRIPE
from tests.support.installed_apps import installed
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


class TestList:
    def test_shows_each_app_with_its_mode_and_its_state(
        self, app: Flask, console: FlaskClient, path: str, second: App
    ) -> None:
        post(console, f"{path}/examine")

        page = Page.of(console.get(STRIPE))

        first, other = page.all("section")
        assert [section.one("h2").text for section in (first, other)] == ["Stripe", "Second"]
        assert "Test mode Default Unknown" in first.text
        assert "Test mode Not checked yet" in other.text
        assert "sk_test_***000" in first.text
        assert DEFAULT_API_KEY not in page.html

    def test_marks_an_app_whose_key_is_rejected(
        self, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        revoke_key(simulator.store, DEFAULT_API_KEY)
        post(console, f"{path}/examine")

        page = Page.of(console.get(STRIPE))

        assert "Key rejected Error" in page.text

    def test_says_that_none_is_the_default(self, app: Flask, console: FlaskClient) -> None:
        with app.app_context():
            db.session().execute(sa.update(App).values(is_default=False))
            db.session().commit()

        page = Page.of(console.get(STRIPE))

        assert "No default app" in page.text


class TestOne:
    def test_is_read_by_a_viewer_who_is_offered_nothing(
        self, app: Flask, console: FlaskClient, path: str
    ) -> None:
        post(console, f"{path}/examine")

        page = Page.of(sign_in(app, "viewer").get(path))

        assert "Stripe accepts the API key" in page.text
        assert [form["action"] for form in page.one("main").all("form")] == []

    def test_offers_an_operator_repairs_and_no_keys(
        self, app: Flask, path: str, simulator: Simulator
    ) -> None:
        [found] = installed(app)
        simulator.change_endpoint(found.endpoint, enabled=False)
        operator = sign_in(app, "operator")
        post(operator, f"{path}/examine")

        page = Page.of(operator.get(path))

        actions = {form["action"].rsplit("/", 1)[-1] for form in page.one("main").all("form")}
        assert actions == {"examine", "repair"}

    @for_each("action", ["key", "roll", "end-overlap", "default", "rename", "uninstall"])
    def test_lets_no_operator_change_keys(self, action: str, app: Flask, path: str) -> None:
        before = installed(app)

        answer = post(sign_in(app, "operator"), f"{path}/{action}", name="x")

        assert answer.status_code == 403
        assert installed(app) == before

    def test_lets_no_viewer_examine(self, app: Flask, path: str, calls: StripeCalls) -> None:
        assert post(sign_in(app, "viewer"), f"{path}/examine").status_code == 403
        assert calls.made == []

    def test_asks_stripe_nothing_when_it_is_opened(
        self, console: FlaskClient, path: str, calls: StripeCalls
    ) -> None:
        page = Page.of(console.get(path))

        assert "Not checked yet" in page.text
        assert calls.made == []

    def test_leads_to_the_simulator_where_there_is_one(self, console: FlaskClient, path: str) -> None:
        page = Page.of(console.get(path))

        links = {link["href"] for link in page.one("main").all("a") if link["href"].startswith("http")}
        assert links == {"http://127.0.0.1:12111/_control"}

    @pytest.mark.parametrize("name", ["nothing", "0" * 26])
    def test_knows_no_other(self, name: str, console: FlaskClient) -> None:
        answer = console.get(f"{STRIPE}/{name}")

        assert answer.status_code == 404
        assert "There is no such app." in Page.of(answer).text

    def test_is_gone_with_the_app(self, console: FlaskClient, path: str) -> None:
        post(console, f"{path}/uninstall", account=DEFAULT_ACCOUNT)

        assert console.get(path).status_code == 404


class TestMode:
    """Every page shows whether it is test or live."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        """A portal that stands before the real Stripe."""
        return make_settings(
            database_url=database_url,
            stripe_api_base="https://api.stripe.com",
            public_url="https://billing.example.com",
        )

    @pytest.fixture
    def console(self, app: Flask) -> FlaskClient:
        """The browser of an admin, which reaches the portal over https."""
        client = sign_in(app, "admin")
        client.environ_base["wsgi.url_scheme"] = "https"
        return client

    def mark(self, app: Flask, console: FlaskClient) -> str:
        """What every page of the console says of the mode."""
        return Page.of(console.get(STRIPE)).one("p", class_="console-mode").text

    def test_is_that_of_the_default_app(self, app: Flask, console: FlaskClient) -> None:
        in_test = self.mark(app, console)
        with app.app_context():
            db.session().execute(sa.update(App).values(livemode=True))
            db.session().commit()
        live = self.mark(app, console)
        with app.app_context():
            db.session().execute(sa.update(App).values(is_default=False))
            db.session().commit()

        assert (in_test, live, self.mark(app, console)) == ("Test mode", "Live", "No Stripe app")

    @pytest.mark.parametrize("mode", ["/test", ""])
    def test_is_that_of_the_pages_at_stripe(self, mode: str, app: Flask) -> None:
        found = App(stripe_account_id="acct_1", livemode=not mode)

        with app.app_context():
            customer = apps.dashboard_url(found, "customer", "cus_1")
            account = apps.dashboard_url(found, "account")
            method = apps.dashboard_url(found, "payment_method", "pm_1&x")

        home = f"https://dashboard.stripe.com/acct_1{mode}"
        assert customer == f"{home}/customers/cus_1"
        assert account == f"{home}/dashboard"
        assert method == f"{home}/search?query=pm_1%26x"


def test_keeps_the_last_examination_alone(app: Flask, console: FlaskClient, path: str, rows: Rows) -> None:
    for _ in range(2):
        post(console, f"{path}/examine")

    assert len(rows(doctor.Examination)) == 1


def test_says_so_when_the_apps_cannot_be_read(app: Flask, console: FlaskClient) -> None:
    with app.app_context():
        db.session().execute(sa.text("ALTER TABLE app RENAME TO lost"))
        db.session().commit()

    answer = console.get(STRIPE)

    assert answer.status_code in {500, 503}  # as the database calls it
    assert Page.of(answer).h1
