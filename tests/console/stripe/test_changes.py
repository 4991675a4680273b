"""An administrator renames an app, makes it the default, or uninstalls it."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.apps.models import App
from app.core import db
from app.simulator import DEFAULT_ACCOUNT, Simulator
from tests.support.browser import Page
from tests.support.console import post
from tests.support.console_stripe import STRIPE, then, told
from tests.support.installed_apps import endpoints, installed
from tests.support.rows import Rows


class TestDefault:
    def test_goes_over_to_another_app(self, app: Flask, console: FlaskClient, second: App) -> None:
        page = then(console, post(console, f"{STRIPE}/{second.id}/default"))

        assert "Second is now the default." in page.text
        assert [one.is_default for one in installed(app)] == [False, True]
        [(actor, facts)] = told(app, "app.made_default")
        assert (actor, list(facts)) == ("operator", ["former"])

    def test_stays_where_it_is(self, app: Flask, console: FlaskClient, path: str) -> None:
        then(console, post(console, f"{path}/default"))

        assert [one.is_default for one in installed(app)] == [True]
        assert told(app, "app.made_default") == []

    def test_is_taken_where_there_was_none(self, app: Flask, console: FlaskClient, path: str) -> None:
        with app.app_context():
            db.session().execute(sa.update(App).values(is_default=False))
            db.session().commit()

        then(console, post(console, f"{path}/default"))

        assert [one.is_default for one in installed(app)] == [True]


class TestRename:
    def test_changes_the_name_alone(self, app: Flask, console: FlaskClient, path: str, rows: Rows) -> None:
        page = then(console, post(console, f"{path}/rename", name="  Europe "))

        [row] = rows(App)
        assert page.h1 == "Europe"
        assert (row.name, row.description) == ("Europe", f"Stripe account {DEFAULT_ACCOUNT}")
        assert told(app, "app.renamed") == [("operator", {"before": "Stripe", "after": "Europe"})]

    @pytest.mark.parametrize("name", ["", "x" * 257, "a\x07b"])
    def test_refuses_what_is_no_name(self, name: str, console: FlaskClient, path: str) -> None:
        answer = post(console, f"{path}/rename", name=name)

        assert answer.status_code == 422
        assert Page.of(answer).error("name")


class TestUninstall:
    def test_wants_the_account_typed(self, app: Flask, console: FlaskClient, path: str) -> None:
        for typed in ("", "acct_other", DEFAULT_ACCOUNT.lower()):
            answer = post(console, f"{path}/uninstall", account=typed)
            assert answer.status_code == 422
            assert Page.of(answer).error("account")

        assert len(installed(app)) == 1

    def test_removes_the_webhooks_and_the_secrets(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator, rows: Rows
    ) -> None:
        post(console, f"{path}/roll")
        assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 2

        page = then(console, post(console, f"{path}/uninstall", account=f" {DEFAULT_ACCOUNT} "))

        assert "Stripe has been uninstalled. Its customers and payment methods stay at Stripe." in page.text
        assert "No Stripe account is installed" in page.text
        assert endpoints(simulator, DEFAULT_ACCOUNT) == []
        assert rows(apps.SigningSecret) == []

    def test_waits_until_stripe_answers(
        self, app: Flask, console: FlaskClient, path: str, simulator: Simulator
    ) -> None:
        simulator.fault_settings.change({"outage": "503"})

        page = then(console, post(console, f"{path}/uninstall", account=DEFAULT_ACCOUNT))

        assert "Stripe had a problem." in page.text
        assert len(installed(app)) == 1
