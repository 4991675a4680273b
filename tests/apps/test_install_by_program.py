"""A program installs a Stripe account with its API key, once, and gets back the app."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, Simulator
from tests.support.api import problem
from tests.support.cases import for_each
from tests.support.database_contents import contents
from tests.support.installed_apps import endpoints
from tests.support.installed_apps import installed as stored
from tests.support.marketplace import INSTALL
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


class TestInstall:
    def test_answers_with_the_app_as_the_default_for_all(self, bare_api: FlaskClient) -> None:
        answer = bare_api.post(INSTALL, json={"apiKey": DEFAULT_API_KEY})

        body = answer.get_json()
        assert answer.status_code == 200
        assert body["app"] == bare_api.get(f"/api/v1/apps/{body['app']['id']}").get_json()
        assert body["app"]["name"] == "Stripe"
        assert sorted(body["defaultForCapabilityTypes"]) == [
            "calculateTax",
            "collectPayments",
            "invoiceCustomers",
        ]

    def test_makes_the_app_that_a_checkout_uses(self, bare_api: FlaskClient) -> None:
        customer = {"name": "Ada", "key": "ada"}
        wanted = {"customer": customer, "options": {"successURL": "https://example.com"}}
        problem(bare_api.post("/api/v1/stripe/checkout/sessions", json=wanted), 404)

        bare_api.post(INSTALL, json={"apiKey": DEFAULT_API_KEY})

        assert bare_api.post("/api/v1/stripe/checkout/sessions", json=wanted).status_code == 201

    def test_may_leave_the_default_to_another(
        self, bare_app: Flask, bare_api: FlaskClient, second_key: str
    ) -> None:
        body = {"apiKey": DEFAULT_API_KEY, "name": "Spare", "createBillingProfile": False}

        spare = bare_api.post(INSTALL, json=body).get_json()
        chosen = bare_api.post(INSTALL, json={"apiKey": second_key}).get_json()

        assert (spare["app"]["name"], spare["defaultForCapabilityTypes"]) == ("Spare", [])
        assert chosen["defaultForCapabilityTypes"]
        assert [found.is_default for found in stored(bare_app)] == [False, True]

    def test_takes_the_default_from_another(
        self, api: FlaskClient, installed: App, second_key: str, rows: Rows
    ) -> None:
        body = api.post(INSTALL, json={"apiKey": second_key, "createBillingProfile": True}).get_json()

        assert body["defaultForCapabilityTypes"]
        assert [row.id for row in rows(App) if row.is_default] == [body["app"]["id"]]

    def test_after_uninstalling_makes_a_new_app(
        self, api: FlaskClient, installed: App, simulator: Simulator
    ) -> None:
        api.delete(f"/api/v1/apps/{installed.id}")

        body = api.post(INSTALL, json={"apiKey": DEFAULT_API_KEY}).get_json()

        assert body["app"]["id"] != installed.id
        assert body["defaultForCapabilityTypes"]
        assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 1

    def test_refuses_the_same_account_again(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str, simulator: Simulator
    ) -> None:
        before = contents(app)["app"]

        detail, _ = problem(api.post(INSTALL, json={"apiKey": other_key}), 409)

        assert detail.startswith(f"conflict error: Stripe account {DEFAULT_ACCOUNT} is already installed")
        assert contents(app)["app"] == before
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [installed.webhook_endpoint_id]

    def test_answers_401_for_a_key_that_stripe_rejects(self, bare_app: Flask, bare_api: FlaskClient) -> None:
        detail, _ = problem(bare_api.post(INSTALL, json={"apiKey": "sk_test_mistyped"}), 401)

        assert detail.startswith("unauthorized error: Stripe does not know this API key")
        assert stored(bare_app) == []

    @for_each(
        ("body", "field"),
        [
            ({}, "/apiKey"),
            ({"apiKey": ""}, "/apiKey"),
            ({"apiKey": None}, "/apiKey"),
            ({"apiKey": 5}, "/apiKey"),
            ({"apiKey": "\ud800"}, "/apiKey"),
            ({"apiKey": "hello"}, "/apiKey"),
            ({"apiKey": "sk_live_abcdef"}, "/apiKey"),
            ({"apiKey": DEFAULT_API_KEY, "name": ""}, "/name"),
            ({"apiKey": DEFAULT_API_KEY, "name": "x" * 257}, "/name"),
            ({"apiKey": DEFAULT_API_KEY, "name": "a\nb"}, "/name"),
            ({"apiKey": DEFAULT_API_KEY, "name": "\u200b"}, "/name"),
            ({"apiKey": DEFAULT_API_KEY, "createBillingProfile": "yes"}, "/createBillingProfile"),
            ({"apiKey": DEFAULT_API_KEY, "createBillingProfile": 1}, "/createBillingProfile"),
        ],
    )
    def test_names_what_is_wrong(
        self, body: dict[str, Any], field: str, bare_app: Flask, bare_api: FlaskClient, calls: StripeCalls
    ) -> None:
        answer = bare_api.post(INSTALL, json=body)

        assert problem(answer, 400)[1] == {field}
        assert contents(bare_app)["app"] == []
        assert calls.made == []

    def test_stands_although_stripe_falls_silent_right_after(
        self, bare_app: Flask, bare_api: FlaskClient, simulator: Simulator, calls: StripeCalls
    ) -> None:
        def fall_silent() -> None:
            simulator.faults.add("503", "GET /v1/webhook_endpoints", times=10)

        calls.after("POST /v1/webhook_endpoints", fall_silent)

        answer = bare_api.post(INSTALL, json={"apiKey": DEFAULT_API_KEY})

        assert answer.status_code == 200
        assert len(contents(bare_app)["app"]) == 1

    def test_is_answered_once_for_each_idempotency_key(
        self, bare_api: FlaskClient, simulator: Simulator
    ) -> None:
        first, second = (
            bare_api.post(INSTALL, json={"apiKey": DEFAULT_API_KEY}, headers={"Idempotency-Key": "install-1"})
            for _ in range(2)
        )

        assert first.get_json() == second.get_json()
        assert second.headers["Idempotency-Replayed"] == "true"
        assert len(endpoints(simulator, DEFAULT_ACCOUNT)) == 1
