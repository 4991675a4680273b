"""A program opens Stripe's customer portal for a customer, once for each idempotency key."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.apps import App
from app.simulator import DEFAULT_API_KEY, revoke_key
from tests.support.api import problem
from tests.support.cases import for_each
from tests.support.payers import ADA, stripe_customer
from tests.support.world import World


class TestPortal:
    @pytest.fixture
    def bound(self, api: FlaskClient, world: World, ada: str) -> str:
        """The Stripe customer of ada."""
        customer = stripe_customer(world)
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})
        return customer

    def test_is_opened_as_asked(self, api: FlaskClient, world: World, bound: str) -> None:
        configuration = world.stripe(
            "POST", "/v1/billing_portal/configurations", **{"features[invoice_history][enabled]": "true"}
        )
        wanted = {
            "configurationId": configuration["id"],
            "locale": "de",
            "returnUrl": "https://example.com/back",
        }

        answer = api.post(f"{ADA}/stripe/portal", json=wanted)

        body = answer.get_json()
        opened = world.simulator.store.portal_sessions[body["id"]]
        assert answer.status_code == 201
        assert {name: body[name] for name in wanted} == wanted
        assert body["stripeCustomerId"] == opened["customer"] == bound
        assert (opened["locale"], opened["return_url"]) == ("de", "https://example.com/back")
        assert body["url"] == opened["url"]
        assert body["livemode"] is False
        assert datetime.now(UTC) - datetime.fromisoformat(body["createdAt"]) < timedelta(minutes=1)

    def test_is_opened_as_the_account_has_it(self, api: FlaskClient, world: World, bound: str) -> None:
        answer = api.post(f"{ADA}/stripe/portal", json={})

        body = answer.get_json()
        assert answer.status_code == 201
        assert (body["locale"], body["returnUrl"]) == ("", "")
        assert body["configurationId"] in world.simulator.store.portal_configurations

    def test_is_opened_once_for_each_idempotency_key(
        self, api: FlaskClient, world: World, bound: str
    ) -> None:
        first, second = (
            api.post(f"{ADA}/stripe/portal", json={}, headers={"Idempotency-Key": "one"}) for _ in range(2)
        )

        assert first.get_json() == second.get_json()
        assert len(world.simulator.store.portal_sessions) == 1

    @for_each(
        ("body", "fields"),
        [
            (None, {""}),
            ([], {""}),
            ({"returnUrl": ""}, {"/returnUrl"}),
            ({"locale": ""}, {"/locale"}),
            ({"configurationId": ""}, {"/configurationId"}),
            ({"locale": None}, {"/locale"}),
            ({"locale": 5, "returnUrl": {}}, {"/locale", "/returnUrl"}),
            ({"locale": "klingon"}, {"/locale"}),
            ({"configurationId": "bpc_unknown"}, {"/configurationId"}),
            ({"returnUrl": "https://example.com/\x00"}, {"/returnUrl"}),
        ],
    )
    def test_names_what_is_wrong(
        self, body: Any, fields: set[str], api: FlaskClient, world: World, bound: str
    ) -> None:
        answer = api.post(f"{ADA}/stripe/portal", data=json.dumps(body), content_type="application/json")

        assert problem(answer, 400)[1] == fields
        assert len(world.simulator.store.portal_sessions) == 0

    def test_needs_a_body(self, api: FlaskClient, bound: str) -> None:
        problem(api.post(f"{ADA}/stripe/portal"), 400)
        problem(api.post(f"{ADA}/stripe/portal", data="", content_type="application/json"), 400)

    def test_needs_a_stripe_customer(self, api: FlaskClient, ada: str) -> None:
        detail, _ = problem(api.post(f"{ADA}/stripe/portal", json={}), 412)

        assert detail == f"precondition failed error: Customer {ada} has no Stripe customer."

    def test_is_not_opened_for_whom_stripe_has_deleted(
        self, api: FlaskClient, world: World, bound: str
    ) -> None:
        world.stripe("DELETE", f"/v1/customers/{bound}")

        detail, _ = problem(api.post(f"{ADA}/stripe/portal", json={}), 412)

        assert f"No such customer: '{bound}'" in detail

    def test_tells_when_stripe_rejects_our_key(
        self, api: FlaskClient, world: World, bound: str, installed: App
    ) -> None:
        revoke_key(world.simulator.store, DEFAULT_API_KEY)

        problem(api.post(f"{ADA}/stripe/portal", json={}), 412)

        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "unauthorized"
