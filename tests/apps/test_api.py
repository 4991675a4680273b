"""Apps and the marketplace for programs."""

from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import apps, db
from app.apps import App
from app.apps.models import SigningSecret
from app.checkout import CheckoutSession
from app.journal import Entry
from app.payers import Payer
from app.simulator import DEFAULT_ACCOUNT, DEFAULT_API_KEY, DEFAULT_RESTRICTED_KEY, Simulator
from app.simulator.accounts import add_account, add_key, revoke_key
from tests.support.portal import sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_database import contents
from tests.support.sync_install import endpoints
from tests.support.sync_install import installed as stored
from tests.support.tokens import meanwhile, program

INSTALL = "/api/v1/marketplace/listings/stripe/install/apikey"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SECOND_ACCOUNT, SECOND_KEY = "acct_second", "sk_test_of_the_second"
OTHER_KEY = "sk_test_another_of_the_first"


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A program that may do everything, where the simulated account is installed."""
    return program(app)


@pytest.fixture
def bare_api(bare_app: Flask) -> FlaskClient:
    """A program that may do everything, where nothing is installed."""
    return program(bare_app)


@pytest.fixture
def installed(app: Flask, rows: Rows) -> App:
    """The app that is there from the start."""
    [row] = rows(App)
    assert isinstance(row, App)
    return row


@pytest.fixture
def second_key(simulator: Simulator) -> str:
    """The key of a second account."""
    add_account(simulator.books, SECOND_ACCOUNT, 1)
    add_key(simulator.books, SECOND_KEY, account=SECOND_ACCOUNT)
    return SECOND_KEY


@pytest.fixture
def other_key(simulator: Simulator) -> str:
    """Another key of the account that is installed."""
    add_key(simulator.books, OTHER_KEY)
    return OTHER_KEY


def problem(answer: TestResponse, status: int) -> tuple[str, set[str]]:
    """The detail of a problem, and the fields that it names."""
    body = answer.get_json()
    assert answer.status_code == status, body
    assert answer.headers["Content-Type"] == "application/problem+json"
    errors = body.get("extensions", {}).get("validationErrors", [])
    return body["detail"], {error["field"] for error in errors}


def key_in_use(app: Flask) -> str:
    """The API key with which the only app speaks to Stripe."""
    with app.app_context():
        row = apps.find(db.session())
        sealer = app.extensions["gangway.connections"].sealer
        return str(sealer.open(row.api_key_sealed, f"app:{row.id}:api_key"))


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

    @pytest.mark.parametrize(
        "query", ["page=0", "page=-1", "page=x", "pageSize=0", "pageSize=1001", "page=", "page=%00"]
    )
    def test_refuses_what_is_no_page(self, query: str, api: FlaskClient) -> None:
        _, fields = problem(api.get(f"/api/v1/apps?{query}"), 400)

        assert fields == {"/" + query.split("=", maxsplit=1)[0]}


class TestPut:
    def test_replaces_the_details(self, api: FlaskClient, installed: App, calls: StripeCalls) -> None:
        details = {"name": "Europe", "description": "For euros", "metadata": {"team": "billing"}}

        answer = api.put(f"/api/v1/apps/{installed.id}", json={"type": "stripe", **details})

        body = answer.get_json()
        assert answer.status_code == 200
        assert {name: body[name] for name in details} == details
        assert body == api.get(f"/api/v1/apps/{installed.id}").get_json()
        assert calls.made == []

    def test_clears_what_is_left_out_but_not_the_key(
        self, app: Flask, api: FlaskClient, installed: App
    ) -> None:
        full = {"type": "stripe", "name": "Europe", "description": "x", "metadata": {"team": "billing"}}
        api.put(f"/api/v1/apps/{installed.id}", json=full)

        body = api.put(f"/api/v1/apps/{installed.id}", json={"type": "stripe", "name": "Europe"}).get_json()

        assert "description" not in body
        assert "metadata" not in body
        assert body["maskedAPIKey"] == installed.masked_api_key
        assert key_in_use(app) == DEFAULT_API_KEY

    def test_changes_the_key_with_the_details(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str
    ) -> None:
        answer = api.put(
            f"/api/v1/apps/{installed.id}",
            json={"TYPE": "stripe", "Name": "Europe", "secretapikey": other_key},
        )

        assert answer.get_json()["maskedAPIKey"] == f"{other_key[:8]}***{other_key[-3:]}"
        assert answer.get_json()["name"] == "Europe"
        assert key_in_use(app) == other_key

    def test_changes_nothing_when_the_key_is_wrong(
        self, app: Flask, api: FlaskClient, installed: App
    ) -> None:
        before = contents(app)["app"]
        body = {"type": "stripe", "name": "Europe", "secretAPIKey": "sk_test_mistyped"}

        answer = api.put(f"/api/v1/apps/{installed.id}", json=body)

        detail, _ = problem(answer, 401)
        assert detail.startswith("unauthorized error: Stripe does not know this API key")
        assert contents(app)["app"] == before

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"name": None}, "/name"),
            ({"name": ""}, "/name"),
            ({"name": "x" * 257}, "/name"),
            ({"name": 5}, "/name"),
            ({"name": "a\x00b"}, "/name"),
            ({"type": "sandbox"}, "/type"),
            ({"type": "nonsense"}, "/type"),
            ({"type": ["stripe"]}, "/type"),
            ({"description": "x" * 1025}, "/description"),
            ({"description": None}, "/description"),
            ({"metadata": {"team": ""}}, "/metadata/team"),
            ({"metadata": {"a/b": 1}}, "/metadata/a~1b"),
            ({"metadata": ["x"]}, "/metadata"),
            ({"secretAPIKey": ""}, "/secretAPIKey"),
            ({"secretAPIKey": 10**400}, "/secretAPIKey"),
            ({"secretAPIKey": "pk_test_abcdef"}, "/secretAPIKey"),
            ({"secretAPIKey": "sk_live_abcdef"}, "/secretAPIKey"),
            ({"secretAPIKey": "sk_test_" + "x" * 5000}, "/secretAPIKey"),
        ],
    )
    def test_names_what_is_wrong(
        self,
        change: dict[str, Any],
        field: str,
        app: Flask,
        api: FlaskClient,
        installed: App,
        calls: StripeCalls,
    ) -> None:
        before = contents(app)["app"]

        answer = api.put(f"/api/v1/apps/{installed.id}", json={"type": "stripe", "name": "Europe"} | change)

        assert problem(answer, 400)[1] == {field}
        assert contents(app)["app"] == before
        assert calls.made == []

    @pytest.mark.parametrize("field", ["type", "name"])
    def test_needs_type_and_name(self, field: str, api: FlaskClient, installed: App) -> None:
        body = {"type": "stripe", "name": "Europe"}
        del body[field]

        answer = api.put(f"/api/v1/apps/{installed.id}", json=body)

        assert problem(answer, 400)[1] == {f"/{field}"}

    def test_takes_metadata_that_is_null_or_empty(self, api: FlaskClient, installed: App) -> None:
        nothing: tuple[dict[str, str] | None, ...] = (None, {})
        for metadata in nothing:
            body = {"type": "stripe", "name": "Europe", "metadata": metadata}
            answer = api.put(f"/api/v1/apps/{installed.id}", json=body)
            assert answer.status_code == 200
            assert "metadata" not in answer.get_json()

    def test_knows_no_other_app(self, api: FlaskClient) -> None:
        problem(api.put(f"/api/v1/apps/{NOBODY}", json={"type": "stripe", "name": "Europe"}), 404)


class TestKey:
    def test_is_replaced(self, app: Flask, api: FlaskClient, installed: App, other_key: str) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})

        assert (answer.status_code, answer.data) == (204, b"")
        assert key_in_use(app) == other_key
        assert other_key not in repr(contents(app))

    def test_is_used_from_then_on(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str, simulator: Simulator
    ) -> None:
        sign_up(app.test_client(), key="before")
        api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})
        revoke_key(simulator.books, DEFAULT_API_KEY)

        sign_up(app.test_client(), key="after", subject_keys=["after"])

        assert len(simulator.books.customers) == 2

    def test_leaves_the_webhook_as_it_is(
        self, api: FlaskClient, installed: App, other_key: str, simulator: Simulator, rows: Rows
    ) -> None:
        before = [secret.sealed for secret in rows(SigningSecret)]

        api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})

        assert endpoints(simulator, DEFAULT_ACCOUNT) == [installed.webhook_endpoint_id]
        assert [secret.sealed for secret in rows(SigningSecret)] == before

    def test_that_was_rejected_gives_way_to_one_that_works(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str, simulator: Simulator, rows: Rows
    ) -> None:
        revoke_key(simulator.books, DEFAULT_API_KEY)
        body = {"stripeCustomerId": "cus_x"}
        api.post("/api/v1/customers", json={"name": "Ada", "key": "ada"})
        detail, _ = problem(api.put("/api/v1/customers/ada/stripe", json=body), 412)
        assert detail == (
            "precondition failed error: Stripe rejected the API key of this app. "
            "Give the app a new key, then try again."
        )
        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "unauthorized"

        api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": other_key})

        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "ready"
        kinds = [entry.kind for entry in rows(Entry) if entry.app_id == installed.id]
        assert kinds == ["app.installed", "app.unauthorized", "app.key_replaced", "app.ready"]

    def test_that_stripe_rejects_is_the_callers_fault_alone(
        self, app: Flask, api: FlaskClient, installed: App
    ) -> None:
        answer = api.put(
            f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": "sk_test_mistyped"}
        )

        problem(answer, 401)
        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "ready"
        assert key_in_use(app) == DEFAULT_API_KEY

    @pytest.mark.parametrize("key", ["sk_live_abcdef", "pk_test_abcdef", "whsec_abcdef", "sk_test_é", " "])
    def test_of_the_wrong_kind_is_refused_unasked(
        self, key: str, api: FlaskClient, installed: App, calls: StripeCalls
    ) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": key})

        assert problem(answer, 400)[1] == {"/secretAPIKey"}
        assert calls.made == []

    def test_of_another_account_is_refused(
        self, app: Flask, api: FlaskClient, installed: App, second_key: str
    ) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": second_key})

        detail, fields = problem(answer, 400)
        assert f"account {SECOND_ACCOUNT}, not of {DEFAULT_ACCOUNT}" in detail
        assert fields == {"/secretAPIKey"}
        assert key_in_use(app) == DEFAULT_API_KEY

    def test_that_may_not_read_the_account_is_refused(self, api: FlaskClient, installed: App) -> None:
        answer = api.put(
            f"/api/v1/apps/{installed.id}/stripe/api-key", json={"secretAPIKey": DEFAULT_RESTRICTED_KEY}
        )

        assert "may not read the account" in problem(answer, 412)[0]

    def test_is_needed(self, api: FlaskClient, installed: App) -> None:
        answer = api.put(f"/api/v1/apps/{installed.id}/stripe/api-key", json={})

        assert problem(answer, 400)[1] == {"/secretAPIKey"}

    def test_is_not_replaced_in_an_app_that_is_uninstalled_meanwhile(
        self, app: Flask, api: FlaskClient, installed: App, other_key: str, calls: StripeCalls, rows: Rows
    ) -> None:
        path = f"/api/v1/apps/{installed.id}"
        calls.after("GET /v1/account", meanwhile(app, "DELETE", path))

        answer = api.put(f"{path}/stripe/api-key", json={"secretAPIKey": other_key})

        assert "is uninstalled" in problem(answer, 400)[0]
        assert [row.api_key_sealed for row in rows(App)] == [""]


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

    def test_ends_its_payers_and_leaves_stripes_customers(
        self, app: Flask, api: FlaskClient, installed: App, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.save_card(sign_up(app.test_client(), key="ada"))
        before = simulator.books.customers.snapshot()

        api.delete(f"/api/v1/apps/{installed.id}")

        [payer] = rows(Payer)
        assert payer.deleted_at is not None
        assert payer.due_at is None
        assert len(rows(CheckoutSession)) == 1
        assert simulator.books.customers.snapshot() == before
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
        simulator.books.webhook_endpoints.pop(installed.webhook_endpoint_id)

        assert api.delete(f"/api/v1/apps/{installed.id}").status_code == 204

    def test_forgives_a_key_that_stripe_rejects_and_installing_again_cleans_up(
        self, api: FlaskClient, installed: App, other_key: str, simulator: Simulator
    ) -> None:
        revoke_key(simulator.books, DEFAULT_API_KEY)

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

    @pytest.mark.parametrize(
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

        assert detail.startswith(f"conflict error: Stripe account {DEFAULT_ACCOUNT} is installed already")
        assert contents(app)["app"] == before
        assert endpoints(simulator, DEFAULT_ACCOUNT) == [installed.webhook_endpoint_id]

    def test_answers_401_for_a_key_that_stripe_rejects(self, bare_app: Flask, bare_api: FlaskClient) -> None:
        detail, _ = problem(bare_api.post(INSTALL, json={"apiKey": "sk_test_mistyped"}), 401)

        assert detail.startswith("unauthorized error: Stripe does not know this API key")
        assert stored(bare_app) == []

    @pytest.mark.parametrize(
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


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/apps", "read"),
        ("GET", f"/apps/{NOBODY}", "read"),
        ("GET", "/marketplace/listings", "read"),
        ("GET", "/marketplace/listings/stripe", "read"),
        ("PUT", f"/apps/{NOBODY}", "admin"),
        ("DELETE", f"/apps/{NOBODY}", "admin"),
        ("PUT", f"/apps/{NOBODY}/stripe/api-key", "admin"),
        ("POST", "/marketplace/listings/stripe/install/apikey", "admin"),
        ("POST", "/marketplace/listings/stripe/install", "admin"),
        ("GET", "/marketplace/listings/stripe/install/oauth2", "admin"),
        ("GET", "/marketplace/listings/stripe/install/oauth2/authorize", "admin"),
    ],
)
def test_only_administrators_change_apps(method: str, path: str, scope: str, app: Flask) -> None:
    answers = {
        name: program(app, name).open(f"/api/v1{path}", method=method).status_code
        for name in ("read", "write", "admin")
    }

    assert app.test_client().open(f"/api/v1{path}", method=method).status_code == 401
    assert answers["admin"] not in {401, 403}
    assert [answers["read"] == 403, answers["write"] == 403] == [scope == "admin"] * 2
