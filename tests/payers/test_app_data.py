"""A program reads and changes a customer's data in all its apps at once. All apps take it, or none does."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client

from app.apps import App
from app.audit import Entry
from app.core.db import new_id
from app.payers import Payer
from app.simulator import Simulator, add_account, add_key
from tests.support.api import problem
from tests.support.cases import for_each
from tests.support.database_contents import contents
from tests.support.payers import ADA, CUSTOMERS, NOBODY, attach, default_at_stripe, stripe_customer
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile, program
from tests.support.world import World

INSTALL = "/api/v1/marketplace/listings/stripe/install/apikey"
SECOND_KEY = "sk_test_of_the_second"


@pytest.fixture
def second_app(api: FlaskClient, simulator: Simulator) -> str:
    """The id of an app for a second account."""
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, SECOND_KEY, account="acct_second")
    return str(
        api.post(INSTALL, json={"apiKey": SECOND_KEY, "createBillingProfile": False}).get_json()["app"]["id"]
    )


def customer_of_second(world: World) -> str:
    """Make a Stripe customer in the second account; cus_…."""
    headers = {"Authorization": f"Bearer {SECOND_KEY}"}
    answer = Client(world.simulator.wsgi).post("/v1/customers", data={"name": "Ada"}, headers=headers)
    return str(answer.get_json()["id"])


class TestAppData:
    def test_lists_every_app_of_a_customer(
        self, api: FlaskClient, world: World, ada: str, installed: App, second_app: str
    ) -> None:
        first = stripe_customer(world)
        second = customer_of_second(world)
        wanted = [
            {"type": "stripe", "stripeCustomerId": first},
            {"type": "stripe", "id": second_app.lower(), "stripeCustomerId": second},
        ]

        answer = api.put(f"{ADA}/apps", json=wanted)

        body = api.get(f"{ADA}/apps").get_json()
        assert answer.status_code == 200
        assert answer.get_json() == body["items"]
        assert [(item["id"], item["stripeCustomerId"]) for item in body["items"]] == [
            (installed.id, first),
            (second_app, second),
        ]
        assert (body["page"], body["pageSize"], body["totalCount"]) == (1, 100, 2)
        assert api.get(f"{ADA}/stripe").get_json() == body["items"][0]
        assert [item["id"] for item in api.get(f"{ADA}/apps?page=2&pageSize=1").get_json()["items"]] == [
            second_app
        ]

    def test_can_be_asked_for_by_type(self, api: FlaskClient, world: World, ada: str) -> None:
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": stripe_customer(world)})

        totals = {
            kind: api.get(f"{ADA}/apps?type={kind}").get_json()["totalCount"]
            for kind in ("stripe", "sandbox", "custom_invoicing")
        }

        assert totals == {"stripe": 1, "sandbox": 0, "custom_invoicing": 0}
        for query in ("type=paypal", "type=", "page=0", "pageSize=1001"):
            assert problem(api.get(f"{ADA}/apps?{query}"), 400)[1] == {"/" + query.partition("=")[0]}

    def test_is_bound_in_all_apps_or_in_none(
        self, app: Flask, api: FlaskClient, world: World, ada: str, second_app: str
    ) -> None:
        first = stripe_customer(world)
        card = attach(world, first)
        wanted = [
            {"type": "stripe", "stripeCustomerId": first, "stripeDefaultPaymentMethodId": card},
            {"type": "stripe", "id": second_app, "stripeCustomerId": "cus_unknown"},
        ]

        answer = api.put(f"{ADA}/apps", json=wanted)

        problem(answer, 412)
        assert contents(app)["payer"] == []
        assert default_at_stripe(world, first) is None

    def test_leaves_other_apps_as_they_are(
        self, api: FlaskClient, world: World, ada: str, second_app: str
    ) -> None:
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": stripe_customer(world)})
        item = {"type": "stripe", "id": second_app, "stripeCustomerId": customer_of_second(world)}

        answer = api.put(f"{ADA}/apps", json=[item])
        nothing = api.put(f"{ADA}/apps", json=[])

        assert [bound["id"] for bound in answer.get_json()] == [second_app]
        assert (nothing.status_code, nothing.get_json()) == (200, [])
        assert api.get(f"{ADA}/apps").get_json()["totalCount"] == 2

    @for_each(
        ("body", "field"),
        [
            ({}, ""),
            (None, ""),
            ([5], "/0"),
            ([{"type": "stripe"}], "/0/stripeCustomerId"),
            ([{"stripeCustomerId": "cus_x"}], "/0/type"),
            ([{"type": "sandbox", "stripeCustomerId": "cus_x"}], "/0/type"),
            ([{"type": "stripe", "stripeCustomerId": ""}], "/0/stripeCustomerId"),
            ([{"type": "stripe", "stripeCustomerId": "cus_x", "id": "x"}], "/0/id"),
            ([{"type": "stripe", "stripeCustomerId": "cus_x", "id": None}], "/0/id"),
            (
                [{"type": "stripe", "stripeCustomerId": "cus_x", "stripeDefaultPaymentMethodId": "x"}],
                "/0/stripeDefaultPaymentMethodId",
            ),
        ],
    )
    def test_names_what_is_wrong(
        self, body: Any, field: str, api: FlaskClient, ada: str, calls: StripeCalls
    ) -> None:
        answer = api.put(f"{ADA}/apps", data=json.dumps(body), content_type="application/json")

        assert problem(answer, 400)[1] == {field}
        assert calls.made == []

    def test_takes_each_app_once(self, api: FlaskClient, ada: str, installed: App, rows: Rows) -> None:
        item = {"type": "stripe", "stripeCustomerId": "cus_x"}

        answer = api.put(f"{ADA}/apps", json=[item, item | {"id": installed.id}])

        assert "once" in problem(answer, 400)[0]
        assert rows(Payer) == []

    def test_knows_no_other_app(self, api: FlaskClient, ada: str, installed: App) -> None:
        item = {"type": "stripe", "stripeCustomerId": "cus_x"}

        problem(api.put(f"{ADA}/apps", json=[item | {"id": NOBODY}]), 404)
        problem(api.delete(f"{ADA}/apps/{NOBODY}"), 404)
        problem(api.delete(f"{ADA}/apps/nonsense"), 400)
        api.delete(f"/api/v1/apps/{installed.id}")
        problem(api.put(f"{ADA}/apps", json=[item | {"id": installed.id}]), 404)

    def test_is_not_bound_in_an_app_that_is_uninstalled_meanwhile(
        self,
        app: Flask,
        api: FlaskClient,
        world: World,
        ada: str,
        installed: App,
        calls: StripeCalls,
        rows: Rows,
    ) -> None:
        customer = stripe_customer(world)
        path = f"/api/v1/apps/{installed.id}"
        calls.after("GET /v1/customers/*", meanwhile(app, "DELETE", path))

        problem(api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer}), 404)

        assert rows(Payer) == []

    def test_is_forgotten_as_often_as_asked(
        self, api: FlaskClient, world: World, ada: str, installed: App, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        answers = [api.delete(f"{ADA}/apps/{installed.id}") for _ in range(2)]

        assert [(answer.status_code, answer.data) for answer in answers] == [(204, b"")] * 2
        assert api.get(f"{ADA}/apps").get_json()["items"] == []
        assert not world.simulator.store.customers[customer].get("deleted")
        kinds = [entry.kind for entry in rows(Entry) if entry.customer_id == ada]
        assert kinds == ["customer.created", "stripe_customer.bound", "stripe_customer.unbound"]

    def test_is_forgotten_in_one_app_alone(
        self, api: FlaskClient, world: World, ada: str, installed: App, second_app: str
    ) -> None:
        second = customer_of_second(world)
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": stripe_customer(world)})
        api.put(f"{ADA}/apps", json=[{"type": "stripe", "id": second_app, "stripeCustomerId": second}])

        api.delete(f"{ADA}/apps/{installed.id}")

        left = api.get(f"{ADA}/apps").get_json()["items"]
        assert [item["stripeCustomerId"] for item in left] == [second]


@for_each(
    ("method", "path", "scope"),
    [
        ("DELETE", "", "write"),
        ("GET", "/apps", "read"),
        ("PUT", "/apps", "write"),
        ("DELETE", f"/apps/{NOBODY}", "write"),
        ("GET", "/stripe", "read"),
        ("PUT", "/stripe", "write"),
        ("POST", "/stripe/portal", "write"),
    ],
)
def test_only_writers_change_customers(method: str, path: str, scope: str, app: Flask) -> None:
    path = f"{CUSTOMERS}/{new_id()}{path}"

    reader = program(app, "read").open(path, method=method)
    writer = program(app, "write").open(path, method=method)

    assert app.test_client().open(path, method=method).status_code == 401
    assert (reader.status_code == 403) is (scope == "write")
    assert writer.status_code not in {401, 403}
