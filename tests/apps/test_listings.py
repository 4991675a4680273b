"""A program reads the installed apps and what the marketplace offers. No answer holds a secret."""

from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.apps import App
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY
from tests.support.api import problem
from tests.support.cases import for_each
from tests.support.marketplace import INSTALL, NOBODY


class TestGet:
    def test_tells_all_that_may_be_told(self, api: FlaskClient, installed: App) -> None:
        body = api.get(f"/api/v1/apps/{installed.id}").get_json()

        listing = api.get("/api/v1/marketplace/listings/stripe").get_json()
        assert datetime.fromisoformat(body.pop("createdAt")) <= datetime.fromisoformat(body.pop("updatedAt"))
        assert body == {
            "id": installed.id,
            "type": "stripe",
            "name": "Stripe",
            "description": f"Stripe account {DEFAULT_ACCOUNT}",
            "status": "ready",
            "listing": listing,
            "stripeAccountId": DEFAULT_ACCOUNT,
            "livemode": False,
            "maskedAPIKey": f"{DEFAULT_API_KEY[:8]}***{DEFAULT_API_KEY[-3:]}",
        }

    def test_reads_an_id_in_any_letter_case(self, api: FlaskClient, installed: App) -> None:
        answer = api.get(f"/api/v1/apps/{installed.id.lower()}")

        assert answer.get_json()["id"] == installed.id

    def test_refuses_what_is_no_id(self, api: FlaskClient) -> None:
        for wrong in ("stripe", "a%2Fb", "8" * 26, "x" * 5000, "%00", "%ED%A0%80"):
            detail, _ = problem(api.get(f"/api/v1/apps/{wrong}"), 400)
            assert detail.startswith("validation error: ")

    def test_knows_no_other(self, api: FlaskClient) -> None:
        detail, _ = problem(api.get(f"/api/v1/apps/{NOBODY}"), 404)

        assert detail == f"not found error: There is no app with id {NOBODY}."


class TestList:
    def test_is_ordered_and_paged(self, api: FlaskClient, installed: App, second_key: str) -> None:
        second = api.post(INSTALL, json={"apiKey": second_key}).get_json()["app"]

        whole = api.get("/api/v1/apps").get_json()
        last = api.get("/api/v1/apps?page=2&pageSize=1").get_json()
        beyond = api.get(f"/api/v1/apps?page={10**18}").get_json()

        assert [app["id"] for app in whole["items"]] == [installed.id, second["id"]]
        assert (whole["page"], whole["pageSize"], whole["totalCount"]) == (1, 100, 2)
        assert [app["id"] for app in last["items"]] == [second["id"]]
        assert (beyond["items"], beyond["totalCount"]) == ([], 2)

    def test_is_empty_before_the_first(self, bare_api: FlaskClient) -> None:
        body = bare_api.get("/api/v1/apps").get_json()

        assert body == {"items": [], "page": 1, "pageSize": 100, "totalCount": 0}

    @for_each("query", ["page=0", "page=-1", "page=x", "pageSize=0", "pageSize=1001", "page=", "page=%00"])
    def test_refuses_what_is_no_page(self, query: str, api: FlaskClient) -> None:
        _, fields = problem(api.get(f"/api/v1/apps?{query}"), 400)

        assert fields == {"/" + query.split("=", maxsplit=1)[0]}


class TestListings:
    def test_offer_stripe(self, api: FlaskClient) -> None:
        body = api.get("/api/v1/marketplace/listings").get_json()

        [listing] = body["items"]
        assert (body["page"], body["pageSize"], body["totalCount"]) == (1, 100, 1)
        assert listing == api.get("/api/v1/marketplace/listings/stripe").get_json()
        assert (listing["type"], listing["name"]) == ("stripe", "Stripe")
        assert listing["installMethods"] == ["with_api_key"]
        assert {capability["type"]: capability["key"] for capability in listing["capabilities"]} == {
            "collectPayments": "stripe_collect_payment",
            "calculateTax": "stripe_calculate_tax",
            "invoiceCustomers": "stripe_invoice_customer",
        }

    def test_end_after_the_first_page(self, api: FlaskClient) -> None:
        body = api.get("/api/v1/marketplace/listings?page=2").get_json()

        assert (body["items"], body["totalCount"]) == ([], 1)

    @for_each(
        ("method", "path", "body"),
        [
            ("GET", "", None),
            ("POST", "/install/apikey", {"apiKey": DEFAULT_API_KEY}),
            ("POST", "/install", {}),
            ("GET", "/install/oauth2", None),
            ("GET", "/install/oauth2/authorize", None),
        ],
    )
    def test_offer_nothing_else(self, method: str, path: str, body: Any, api: FlaskClient) -> None:
        unknown = api.open(f"/api/v1/marketplace/listings/paypal{path}", method=method, json=body)
        sandbox = api.open(f"/api/v1/marketplace/listings/sandbox{path}", method=method, json=body)

        assert problem(unknown, 400)[1] == {"/type"}
        problem(sandbox, 404)

    def test_are_not_installed_without_a_key(self, api: FlaskClient) -> None:
        detail, _ = problem(api.post("/api/v1/marketplace/listings/stripe/install", json={}), 400)

        assert "without an API key" in detail

    @pytest.mark.parametrize("path", ["oauth2", "oauth2/authorize?code=x&state=y"])
    def test_are_not_installed_with_oauth2(self, path: str, api: FlaskClient) -> None:
        answer = api.get(f"/api/v1/marketplace/listings/stripe/install/{path}")

        assert problem(answer, 501)[0] == "Stripe is installed by its API key: OAuth2 is not offered."
