"""A program uninstalls an app: its webhook goes, its secrets go, and its customers can no longer be
charged."""

from datetime import datetime

from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from app.apps.models import SigningSecret
from app.checkout import CheckoutSession
from app.payers import Payer
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator, revoke_key
from tests.support.api import problem
from tests.support.database_contents import contents
from tests.support.installed_apps import endpoints
from tests.support.marketplace import INSTALL, NOBODY, SECOND_ACCOUNT
from tests.support.portal import sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


class TestUninstall:
    def test_hides_the_app_and_keeps_it_findable(self, api: FlaskClient, installed: App) -> None:
        answer = api.delete(f"/api/v1/apps/{installed.id}")

        assert (answer.status_code, answer.data) == (204, b"")
        assert api.get("/api/v1/apps").get_json()["items"] == []
        found = api.get(f"/api/v1/apps/{installed.id}")
        assert found.status_code == 200
        assert datetime.fromisoformat(found.get_json()["deletedAt"])

    def test_removes_the_webhook_and_every_secret(
        self, app: Flask, api: FlaskClient, installed: App, simulator: Simulator, rows: Rows
    ) -> None:
        api.delete(f"/api/v1/apps/{installed.id}")

        assert endpoints(simulator, DEFAULT_ACCOUNT) == []
        assert rows(SigningSecret) == []
        assert [row.api_key_sealed for row in rows(App)] == [""]
        webhook = app.test_client().post(
            f"/api/v1/apps/{installed.id}/stripe/webhook",
            data=b"{}",
            headers={"Stripe-Signature": "t=1,v1=0"},
        )
        assert webhook.status_code == 404

    def test_leaves_the_webhook_and_the_secret_of_another_app(
        self, app: Flask, api: FlaskClient, installed: App, second_key: str, simulator: Simulator, rows: Rows
    ) -> None:
        body = {"apiKey": second_key, "createBillingProfile": False}
        other = api.post(INSTALL, json=body).get_json()["app"]["id"]

        api.delete(f"/api/v1/apps/{installed.id}")

        assert [row.app_id for row in rows(SigningSecret)] == [other]
        assert len(endpoints(simulator, SECOND_ACCOUNT)) == 1

    def test_ends_its_payers_and_leaves_stripes_customers(
        self, app: Flask, api: FlaskClient, installed: App, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.save_card(sign_up(app.test_client(), key="ada"))
        before = simulator.store.customers.snapshot()

        api.delete(f"/api/v1/apps/{installed.id}")

        [payer] = rows(Payer)
        assert payer.deleted_at is not None
        assert payer.due_at is None
        assert len(rows(CheckoutSession)) == 1
        assert simulator.store.customers.snapshot() == before
        assert api.get("/api/v1/customers/ada/apps").get_json()["items"] == []
        problem(api.get("/api/v1/customers/ada/stripe"), 412)

    def test_can_be_done_once(self, api: FlaskClient, installed: App, calls: StripeCalls) -> None:
        api.delete(f"/api/v1/apps/{installed.id}")
        calls.clear()

        detail, _ = problem(api.delete(f"/api/v1/apps/{installed.id}"), 400)

        assert detail == f"validation error: App {installed.id} is uninstalled."
        assert calls.made == []

    def test_leaves_nothing_to_change(self, api: FlaskClient, installed: App, other_key: str) -> None:
        api.delete(f"/api/v1/apps/{installed.id}")

        rename = api.put(f"/api/v1/apps/{installed.id}", json={"type": "stripe", "name": "Europe"})
        key = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})

        problem(rename, 400)
        problem(key, 400)

    def test_forgives_an_endpoint_that_is_gone(
        self, api: FlaskClient, installed: App, simulator: Simulator
    ) -> None:
        simulator.store.webhook_endpoints.pop(installed.webhook_endpoint_id)

        assert api.delete(f"/api/v1/apps/{installed.id}").status_code == 204

    def test_forgives_a_key_that_stripe_rejects_and_installing_again_cleans_up(
        self, api: FlaskClient, installed: App, other_key: str, simulator: Simulator
    ) -> None:
        revoke_key(simulator.store, DEFAULT_API_KEY)

        answer = api.delete(f"/api/v1/apps/{installed.id}")

        assert answer.status_code == 204
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [installed.webhook_endpoint_id]
        again = api.post(INSTALL, json={"apiKey": other_key})
        assert again.status_code == 200
        assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 1

    def test_waits_until_stripe_answers(
        self, app: Flask, api: FlaskClient, installed: App, simulator: Simulator
    ) -> None:
        before = contents(app)["app"]
        simulator.faults.add("503", "DELETE *", times=10)

        answer = api.delete(f"/api/v1/apps/{installed.id}")

        problem(answer, 412)
        assert contents(app)["app"] == before

    def test_knows_no_other_app(self, api: FlaskClient) -> None:
        problem(api.delete(f"/api/v1/apps/{NOBODY}"), 404)
        problem(api.delete("/api/v1/apps/x"), 400)
