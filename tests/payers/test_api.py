"""The Stripe side of customers for programs."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client, TestResponse

from app.apps import App
from app.db import new_id
from app.journal import Entry
from app.payers import Payer, PaymentMethod
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator.accounts import add_account, add_key, revoke_key
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.sync_database import contents
from tests.support.sync_people import World
from tests.support.tokens import meanwhile, program

CUSTOMERS = "/api/v1/customers"
ADA = f"{CUSTOMERS}/ada"
INSTALL = "/api/v1/marketplace/listings/stripe/install/apikey"
NOBODY = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
SECOND_KEY = "sk_test_of_the_second"


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A program that may do everything."""
    return program(app)


@pytest.fixture
def ada(api: FlaskClient) -> str:
    """The id of a customer with the key ada, of whom Stripe knows nothing."""
    return create(api, "ada")


@pytest.fixture
def installed(app: Flask, rows: Rows) -> App:
    """The app that is there from the start."""
    [row] = rows(App)
    assert isinstance(row, App)
    return row


@pytest.fixture
def second_app(api: FlaskClient, simulator: Simulator) -> str:
    """The id of an app for a second account."""
    add_account(simulator.books, "acct_second", 1)
    add_key(simulator.books, SECOND_KEY, account="acct_second")
    return str(
        api.post(INSTALL, json={"apiKey": SECOND_KEY, "createBillingProfile": False}).get_json()["app"]["id"]
    )


def create(api: FlaskClient, key: str) -> str:
    """Make a customer; its id."""
    return str(api.post(CUSTOMERS, json={"name": "Ada", "key": key}).get_json()["id"])


def stripe_customer(world: World) -> str:
    """Make a Stripe customer in the Dashboard; cus_…."""
    return str(world.stripe("POST", "/v1/customers", name="Ada at Stripe")["id"])


def customer_of_second(world: World) -> str:
    """Make a Stripe customer in the second account; cus_…."""
    headers = {"Authorization": f"Bearer {SECOND_KEY}"}
    answer = Client(world.simulator.wsgi).post("/v1/customers", data={"name": "Ada"}, headers=headers)
    return str(answer.get_json()["id"])


def attach(world: World, customer: str, card: str = "pm_card_visa") -> str:
    """Attach a card to a Stripe customer in the Dashboard; pm_…."""
    return str(world.stripe("POST", f"/v1/payment_methods/{card}/attach", customer=customer)["id"])


def choose(world: World, customer: str, method: str) -> None:
    """Choose in the Dashboard which method is charged."""
    default = {"invoice_settings[default_payment_method]": method}
    world.stripe("POST", f"/v1/customers/{customer}", **default)


def default_at_stripe(world: World, customer: str) -> str | None:
    """The method that Stripe charges, by its own books."""
    default: str | None = world.simulator.books.customers[customer]["invoice_settings"][
        "default_payment_method"
    ]
    return default


def problem(answer: TestResponse, status: int) -> tuple[str, set[str]]:
    """The detail of a problem, and the fields that it names."""
    body = answer.get_json()
    assert answer.status_code == status, body
    assert answer.headers["Content-Type"] == "application/problem+json"
    errors = body.get("extensions", {}).get("validationErrors", [])
    return body["detail"], {error["field"] for error in errors}


class TestDeletedCustomer:
    def test_frees_its_key_and_subjects_and_is_found_by_id(self, api: FlaskClient) -> None:
        body = {"name": "Ada", "key": "ada", "usageAttribution": {"subjectKeys": ["engine"]}}
        first = api.post(CUSTOMERS, json=body).get_json()["id"]

        answer = api.delete(ADA)

        assert (answer.status_code, answer.data) == (204, b"")
        assert datetime.fromisoformat(api.get(f"{CUSTOMERS}/{first}").get_json()["deletedAt"])
        assert api.post(CUSTOMERS, json=body).get_json()["id"] != first

    def test_can_be_deleted_once(self, api: FlaskClient, ada: str) -> None:
        api.delete(f"{CUSTOMERS}/{ada}")

        by_id, by_key = api.delete(f"{CUSTOMERS}/{ada}"), api.delete(ADA)

        detail, _ = problem(by_id, 412)
        assert detail == f"precondition failed error: customer {ada} is deleted"
        problem(by_key, 404)

    def test_is_found_under_a_key_with_slashes(self, api: FlaskClient) -> None:
        create(api, "a/b/c")

        answer = api.delete(f"{CUSTOMERS}/a%2Fb%2Fc")

        assert answer.status_code == 204
        problem(api.get(f"{CUSTOMERS}/a%2Fb%2Fc/apps"), 404)

    def test_has_no_payer_any_more_and_stripe_is_not_told(
        self, api: FlaskClient, world: World, calls: StripeCalls, rows: Rows
    ) -> None:
        person = world.person()
        person.saves()
        world.settle()
        before = world.simulator.books.customers.snapshot()
        calls.clear()

        api.delete(f"{CUSTOMERS}/person-1")
        world.settle()

        [payer] = rows(Payer)
        assert payer.deleted_at is not None
        assert (payer.due_at, payer.lease) == (None, None)
        assert calls.made == []
        assert world.simulator.books.customers.snapshot() == before

    def test_leaves_its_stripe_customer_to_another(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        card = attach(world, customer)
        body = {"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": card}
        api.put(f"{ADA}/stripe", json=body)
        api.delete(ADA)
        create(api, "eve")

        answer = api.put(f"{CUSTOMERS}/eve/stripe", json=body)
        world.settle()

        assert answer.get_json()["stripeDefaultPaymentMethodId"] == card
        living = next(payer for payer in rows(Payer) if payer.deleted_at is None)
        assert [method.payer_id for method in rows(PaymentMethod)] == [living.id]
        assert living.verified_at is not None

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("GET", "apps", None),
            ("PUT", "apps", [{"type": "stripe", "stripeCustomerId": "cus_x"}]),
            ("DELETE", f"apps/{NOBODY}", None),
            ("GET", "stripe", None),
            ("PUT", "stripe", {"stripeCustomerId": "cus_x"}),
            ("POST", "stripe/portal", {}),
        ],
    )
    def test_has_nothing_at_stripe(
        self, method: str, path: str, body: Any, api: FlaskClient, ada: str, calls: StripeCalls
    ) -> None:
        api.delete(ADA)

        deleted = api.open(f"{CUSTOMERS}/{ada}/{path}", method=method, json=body)
        unknown = api.open(f"{ADA}/{path}", method=method, json=body)

        problem(deleted, 412)
        problem(unknown, 404)
        assert calls.made == []

    def test_is_not_bound_when_it_was_deleted_meanwhile(
        self, app: Flask, api: FlaskClient, world: World, ada: str, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        calls.after("GET /v1/customers/*", meanwhile(app, "DELETE", ADA))

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        problem(answer, 412)
        assert rows(Payer) == []


class TestStripeData:
    def test_is_what_was_bound(
        self, api: FlaskClient, world: World, ada: str, installed: App, calls: StripeCalls
    ) -> None:
        customer = stripe_customer(world)
        calls.clear()

        answer = api.put(f"{ADA}/stripe", json={"STRIPEcustomerID": customer})

        assert answer.status_code == 200
        assert answer.get_json() == {
            "id": installed.id,
            "type": "stripe",
            "stripeCustomerId": customer,
            "app": api.get(f"/api/v1/apps/{installed.id}").get_json(),
        }
        assert calls.made == [f"GET /v1/customers/{customer}"]
        assert api.get(f"{ADA}/stripe").get_json() == answer.get_json()
        assert api.get(f"{CUSTOMERS}/{ada}/stripe").get_json() == answer.get_json()
        assert len(calls.made) == 1

    def test_is_missing_before(self, api: FlaskClient, ada: str) -> None:
        detail, _ = problem(api.get(f"{ADA}/stripe"), 412)

        assert detail == f"precondition failed error: Customer {ada} has no Stripe customer."

    def test_is_missing_without_an_app(self, api: FlaskClient, ada: str, installed: App) -> None:
        api.delete(f"/api/v1/apps/{installed.id}")

        for answer in (
            api.get(f"{ADA}/stripe"),
            api.put(f"{ADA}/stripe", json={"stripeCustomerId": "cus_x"}),
            api.put(f"{ADA}/apps", json=[{"type": "stripe", "stripeCustomerId": "cus_x"}]),
            api.post(f"{ADA}/stripe/portal", json={}),
        ):
            detail, _ = problem(answer, 412)
            assert detail == "precondition failed error: No Stripe app is installed."

    def test_shows_the_card_that_a_page_saved(self, api: FlaskClient, world: World) -> None:
        person = world.person()
        person.saves()
        world.settle()

        body = api.get(f"{CUSTOMERS}/person-1/stripe").get_json()

        assert body["stripeCustomerId"] == person.stripe_id
        assert body["stripeDefaultPaymentMethodId"] == person.stripe_default

    def test_chooses_the_method_at_stripe_too(
        self, api: FlaskClient, world: World, ada: str, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        first, second = attach(world, customer), attach(world, customer, "pm_card_mastercard")
        choose(world, customer, first)
        calls.clear()

        answer = api.put(
            f"{ADA}/stripe", json={"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": second}
        )

        assert answer.get_json()["stripeDefaultPaymentMethodId"] == second
        assert default_at_stripe(world, customer) == second
        assert calls.made == [
            f"GET /v1/customers/{customer}",
            f"GET /v1/payment_methods/{second}",
            f"POST /v1/customers/{customer}",
        ]
        world.settle()
        assert api.get(f"{ADA}/stripe").get_json() == answer.get_json()
        assert {method.id for method in rows(PaymentMethod)} == {first, second}

    def test_that_is_put_again_changes_nothing(
        self, api: FlaskClient, world: World, ada: str, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        body = {
            "stripeCustomerId": customer,
            "stripeDefaultPaymentMethodId": attach(world, customer),
        }
        first = api.put(f"{ADA}/stripe", json=body)
        calls.clear()

        second = api.put(f"{ADA}/stripe", json=body)

        assert second.get_json() == first.get_json()
        assert not [call for call in calls.made if call.startswith("POST")]
        assert len(rows(Payer)) == 1
        kinds = [entry.kind for entry in rows(Entry) if entry.customer_id == ada]
        assert kinds == ["customer.created", "stripe_customer.bound", "default_method.changed"]

    def test_without_a_method_takes_back_what_was_asked_for(
        self, api: FlaskClient, world: World, ada: str
    ) -> None:
        customer = stripe_customer(world)
        body = {"stripeCustomerId": customer}
        card = attach(world, customer)
        api.put(f"{ADA}/stripe", json=body | {"stripeDefaultPaymentMethodId": card})

        answer = api.put(f"{ADA}/stripe", json=body)

        assert "stripeDefaultPaymentMethodId" not in answer.get_json()
        assert default_at_stripe(world, customer) is None
        world.settle()
        assert "stripeDefaultPaymentMethodId" not in api.get(f"{ADA}/stripe").get_json()

    def test_without_a_method_never_undoes_the_choice_of_others(
        self, api: FlaskClient, world: World, ada: str
    ) -> None:
        """Binding whom Stripe has charged for years, once or ten times, must not end that."""
        customer = stripe_customer(world)
        theirs, ours = attach(world, customer), attach(world, customer, "pm_card_mastercard")
        choose(world, customer, theirs)
        body = {"stripeCustomerId": customer}

        first, second = (api.put(f"{ADA}/stripe", json=body).get_json() for _ in range(2))
        api.put(f"{ADA}/stripe", json=body | {"stripeDefaultPaymentMethodId": ours})
        choose(world, customer, theirs)
        third = api.put(f"{ADA}/stripe", json=body).get_json()

        assert first == second == third
        assert first["stripeDefaultPaymentMethodId"] == theirs
        assert default_at_stripe(world, customer) == theirs

    def test_bound_anew_begins_a_new_story(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        old, new = stripe_customer(world), stripe_customer(world)
        card = attach(world, old)
        api.put(f"{ADA}/stripe", json={"stripeCustomerId": old, "stripeDefaultPaymentMethodId": card})

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": new})
        world.settle()

        assert answer.get_json()["stripeCustomerId"] == new
        assert "stripeDefaultPaymentMethodId" not in answer.get_json()
        ended, living = sorted(rows(Payer), key=lambda payer: payer.id)
        assert (ended.stripe_customer_id, living.stripe_customer_id) == (old, new)
        assert ended.deleted_at is not None
        assert living.deleted_at is None
        assert default_at_stripe(world, old) == card

    def test_bound_again_takes_its_methods_along(
        self, api: FlaskClient, world: World, ada: str, installed: App, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        body = {"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": attach(world, customer)}
        attach(world, customer, "pm_card_mastercard")
        api.put(f"{ADA}/stripe", json=body)
        world.settle()
        api.delete(f"{ADA}/apps/{installed.id}")

        answer = api.put(f"{ADA}/stripe", json=body)
        world.settle()

        assert answer.status_code == 200
        living = next(payer for payer in rows(Payer) if payer.deleted_at is None)
        assert {method.payer_id for method in rows(PaymentMethod)} == {living.id}
        assert (living.attempts, living.due_at) == (0, None)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"stripeCustomerId": ""}, "/stripeCustomerId"),
            ({"stripeCustomerId": None}, "/stripeCustomerId"),
            ({"stripeCustomerId": 5}, "/stripeCustomerId"),
            ({"stripeCustomerId": "cus_\x00"}, "/stripeCustomerId"),
            ({"stripeCustomerId": "cus_\udfff"}, "/stripeCustomerId"),
            ({"stripeCustomerId": "cus_" + "x" * 300}, "/stripeCustomerId"),
            ({"stripeDefaultPaymentMethodId": ""}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": None}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": "card_x"}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": 10**400}, "/stripeDefaultPaymentMethodId"),
            ({"stripeDefaultPaymentMethodId": ["pm_x"]}, "/stripeDefaultPaymentMethodId"),
        ],
    )
    def test_that_makes_no_sense_is_refused_unasked(
        self, change: dict[str, Any], field: str, api: FlaskClient, ada: str, calls: StripeCalls
    ) -> None:
        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": "cus_x"} | change)

        assert problem(answer, 400)[1] == {field}
        assert calls.made == []

    @pytest.mark.parametrize("body", [{}, [], "x", 5, None, [{}]])
    def test_is_an_object_with_a_customer(self, body: Any, api: FlaskClient, ada: str) -> None:
        problem(api.put(f"{ADA}/stripe", data=json.dumps(body), content_type="application/json"), 400)

    @pytest.mark.parametrize(
        "strange", ["cus_x", "nonsense", "cus_/../x", "..", ".", "a b", "ü", "search", "?a=b"]
    )
    def test_must_be_known_to_stripe(
        self, strange: str, app: Flask, api: FlaskClient, ada: str, rows: Rows
    ) -> None:
        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": strange})

        assert answer.status_code in {400, 412}
        assert strange != "cus_x" or answer.status_code == 412
        assert rows(Payer) == []

    def test_must_not_be_deleted_at_stripe(
        self, api: FlaskClient, world: World, ada: str, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        world.stripe("DELETE", f"/v1/customers/{customer}")

        detail, _ = problem(api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer}), 412)

        assert detail == f"precondition failed error: Stripe customer {customer} is deleted."
        assert rows(Payer) == []

    def test_must_name_a_method_of_that_customer(
        self, app: Flask, api: FlaskClient, world: World, ada: str
    ) -> None:
        customer, other = stripe_customer(world), stripe_customer(world)
        for method in ("pm_unknown", attach(world, other)):
            body = {"stripeCustomerId": customer, "stripeDefaultPaymentMethodId": method}
            problem(api.put(f"{ADA}/stripe", json=body), 412)

        assert contents(app)["payer"] == []
        assert default_at_stripe(world, customer) is None

    def test_must_be_nobody_elses(
        self, app: Flask, api: FlaskClient, world: World, ada: str, calls: StripeCalls
    ) -> None:
        customer = stripe_customer(world)
        create(api, "eve")
        api.put(f"{CUSTOMERS}/eve/stripe", json={"stripeCustomerId": customer})
        before = contents(app)["payer"]
        calls.clear()

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        assert "bound to another customer" in problem(answer, 412)[0]
        assert contents(app)["payer"] == before
        assert calls.made == []

    def test_must_be_nobody_elses_at_the_last_moment(
        self, app: Flask, api: FlaskClient, world: World, ada: str, calls: StripeCalls, rows: Rows
    ) -> None:
        customer = stripe_customer(world)
        eve = create(api, "eve")
        body = {"stripeCustomerId": customer}
        calls.after("GET /v1/customers/*", meanwhile(app, "PUT", f"{CUSTOMERS}/eve/stripe", body))

        answer = api.put(f"{ADA}/stripe", json=body)

        assert "bound to another customer" in problem(answer, 412)[0]
        assert [payer.customer_id for payer in rows(Payer)] == [eve]

    @pytest.mark.parametrize("fault", ["503", "timeout", "reset"])
    def test_is_kept_when_stripe_does_not_answer(
        self, fault: str, app: Flask, api: FlaskClient, world: World, ada: str
    ) -> None:
        customer = stripe_customer(world)
        world.simulator.faults.add(fault, "GET *", times=10)

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        problem(answer, 412)
        assert contents(app)["payer"] == []

    def test_tells_when_stripe_rejects_our_key(
        self, api: FlaskClient, world: World, ada: str, installed: App
    ) -> None:
        customer = stripe_customer(world)
        revoke_key(world.simulator.books, DEFAULT_API_KEY)

        answer = api.put(f"{ADA}/stripe", json={"stripeCustomerId": customer})

        assert "Stripe rejected the API key of this app" in problem(answer, 412)[0]
        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "unauthorized"


class TestConvergence:
    """A binding and what the worker does beside it end in Stripe's truth."""

    def test_that_was_under_way_does_not_undo_a_choice(
        self, app: Flask, api: FlaskClient, world: World, calls: StripeCalls
    ) -> None:
        person = world.person()
        person.saves()
        world.settle()
        theirs, ours = world.attach_card(person), world.attach_card(person, "pm_card_visa")
        body = {"stripeCustomerId": person.stripe_id, "stripeDefaultPaymentMethodId": ours}
        calls.after(
            "GET /v1/customers/*/payment_methods",
            meanwhile(app, "PUT", f"{CUSTOMERS}/person-1/stripe", body),
        )

        world.choose_default(person, theirs)
        world.settle()

        assert person.stripe_default == ours
        assert person.payer.default_method_id == ours

    def test_that_was_under_way_leaves_an_ended_payer_alone(
        self, app: Flask, api: FlaskClient, world: World, calls: StripeCalls, rows: Rows
    ) -> None:
        person = world.person()
        person.saves()
        calls.after("GET *", meanwhile(app, "DELETE", f"{CUSTOMERS}/person-1"))

        world.settle()

        [payer] = rows(Payer)
        assert payer.deleted_at is not None
        assert (payer.due_at, payer.lease, payer.default_method_id) == (None, None, None)


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

    @pytest.mark.parametrize(
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
        assert not world.simulator.books.customers[customer].get("deleted")
        kinds = [entry.kind for entry in rows(Entry) if entry.customer_id == ada]
        assert kinds == ["customer.created", "stripe_customer.bound", "stripe_customer.unbound"]


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
        opened = world.simulator.books.portal_sessions[body["id"]]
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
        assert body["configurationId"] in world.simulator.books.portal_configurations

    def test_is_opened_once_for_each_idempotency_key(
        self, api: FlaskClient, world: World, bound: str
    ) -> None:
        first, second = (
            api.post(f"{ADA}/stripe/portal", json={}, headers={"Idempotency-Key": "one"}) for _ in range(2)
        )

        assert first.get_json() == second.get_json()
        assert len(world.simulator.books.portal_sessions) == 1

    @pytest.mark.parametrize(
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
        assert len(world.simulator.books.portal_sessions) == 0

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
        revoke_key(world.simulator.books, DEFAULT_API_KEY)

        problem(api.post(f"{ADA}/stripe/portal", json={}), 412)

        assert api.get(f"/api/v1/apps/{installed.id}").get_json()["status"] == "unauthorized"


@pytest.mark.parametrize(
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
