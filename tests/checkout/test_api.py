"""One JSON call opens the Stripe page that saves a customer's payment method."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.checkout import CheckoutSession
from app.core.db import utcnow
from app.customers import Customer
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator, revoke_key
from tests.support.cases import for_each
from tests.support.rivals import comes_first
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import bearer

URL = "/api/v1/stripe/checkout/sessions"
ACME = {"name": "ACME, Inc.", "key": "acme", "usageAttribution": {"subjectKeys": ["meter-1"]}}
OPTIONS = {"successURL": "https://example.com/success", "currency": "USD"}


@pytest.fixture
def program(app: Flask, client: FlaskClient) -> "Program":
    return Program(client, bearer(app))


STRANGER = "cus_Stranger000001"


class Program:
    """A caller with a token."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    def start(
        self, customer: Any = None, options: Any = None, *, key: str | None = None, **more: Any
    ) -> TestResponse:
        body = {
            "customer": ACME if customer is None else customer,
            "options": OPTIONS if options is None else options,
        }
        headers = self._headers | ({"Idempotency-Key": key} if key else {})
        return self._client.post(URL, json=body | more, headers=headers)


def test_makes_customer_stripe_customer_and_page(program: Program, simulator: Simulator) -> None:
    answer = program.start(options=OPTIONS | {"metadata": {"plan": "pro"}, "clientReferenceID": "ref-1"})

    body = answer.get_json()
    assert answer.status_code == 201
    store = simulator.store
    session = store.checkout_sessions[body["sessionId"]]
    marks = {"om_namespace": "default", "om_customer_id": body["customerId"]}
    assert marks.items() <= store.customers[body["stripeCustomerId"]]["metadata"].items()
    assert (marks | {"plan": "pro"}).items() <= session["metadata"].items()
    assert (marks | {"plan": "pro"}).items() <= store.setup_intents[body["setupIntentId"]]["metadata"].items()
    assert body["url"] == session["url"]
    assert body["metadata"] == {"plan": "pro"}
    assert (body["mode"], body["status"], body["currency"]) == ("setup", "open", "USD")
    assert body["clientReferenceId"] == "ref-1"
    assert body["successURL"] == "https://example.com/success"


def test_reuses_the_very_same_customer(program: Program, simulator: Simulator) -> None:
    first, second = (program.start().get_json() for _ in range(2))

    assert first["customerId"] == second["customerId"]
    assert first["sessionId"] != second["sessionId"]
    assert len(simulator.store.customers) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Other"},
        {"usageAttribution": {"subjectKeys": ["meter-2"]}},
        {"primaryEmail": "a@example.com"},
    ],
)
def test_refuses_another_customer_under_a_known_key(
    program: Program, simulator: Simulator, other: dict[str, Any]
) -> None:
    program.start()

    answer = program.start(ACME | other)

    assert answer.status_code == 409
    assert len(simulator.store.customers) == 1


def test_refuses_a_taken_subject_key(program: Program, simulator: Simulator) -> None:
    program.start()

    answer = program.start(ACME | {"key": "other"})

    assert answer.status_code == 409
    assert len(simulator.store.customers) == 1


@pytest.mark.parametrize("way", ["id", "key"])
def test_takes_an_existing_customer(program: Program, simulator: Simulator, way: str) -> None:
    first = program.start().get_json()
    customer = {"id": first["customerId"]} if way == "id" else {"key": "acme"}

    answer = program.start(customer)

    assert answer.status_code == 201
    assert answer.get_json()["stripeCustomerId"] == first["stripeCustomerId"]
    assert len(simulator.store.customers) == 1


@for_each(
    ("customer", "status"),
    [
        ({"id": "01G65Z755AFWAKHE12NY0CQ9FH"}, 404),
        ({"id": "nonsense"}, 400),
        ({"key": "unknown"}, 404),
        ({"key": ""}, 400),
        ({"name": "", "key": "unknown"}, 404),
        ({"name": "No names"}, 400),
        ({"name": "x" * 257, "key": "k"}, 400),
        ({"name": "Odd", "key": "k", "currency": "ZZZ"}, 400),
        ({"name": "Odd", "key": "k", "currency": "usd"}, 400),
        ({"name": "Odd", "key": None}, 400),
        ({"name": "Twice", "usageAttribution": {"subjectKeys": ["a", "a"]}}, 409),
        ({}, 400),
        ([], 400),
        ("text", 400),
    ],
)
def test_answers_for_customers_that_it_can_not_take(
    program: Program, simulator: Simulator, customer: Any, status: int
) -> None:
    answer = program.start(customer)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(simulator.store.customers) == 0


def test_refuses_a_deleted_customer(app: Flask, client: FlaskClient, program: Program) -> None:
    first = program.start().get_json()
    client.delete(f"/api/v1/customers/{first['customerId']}", headers=bearer(app))

    assert program.start({"id": first["customerId"]}).status_code == 412
    assert program.start({"key": "acme"}).status_code == 404


def test_makes_no_payer_for_a_customer_that_is_deleted_meanwhile(
    app: Flask, client: FlaskClient, program: Program, simulator: Simulator, rows: Any
) -> None:
    client.post("/api/v1/customers", json=ACME, headers=bearer(app))
    deleted = sa.update(Customer).values(deleted_at=utcnow())

    with comes_first(app, "INSERT INTO payer", deleted):
        answer = program.start({"key": "acme"})

    assert answer.status_code == 412
    assert rows(Payer) == []
    assert len(simulator.store.customers) == 0


def test_makes_another_customer_after_the_first_was_deleted(
    app: Flask, client: FlaskClient, program: Program
) -> None:
    first = program.start().get_json()
    client.delete(f"/api/v1/customers/{first['customerId']}", headers=bearer(app))

    second = program.start()

    assert second.status_code == 201
    assert second.get_json()["customerId"] != first["customerId"]


@for_each(
    ("options", "field"),
    [
        ({"uiMode": "embedded", "cancelURL": "https://example.com"}, "/options"),
        ({"uiMode": "other"}, "/options/uiMode"),
        ({"metadata": {"om_app_id": "x"}}, "/options/metadata"),
        ({"metadata": {"a": 1}}, "/options/metadata/a"),
        ({"metadata": {f"key-{number}": "x" for number in range(48)}}, "/options/metadata"),
        ({"currency": "usd"}, "/options/currency"),
        ({"successUrl": 5}, "/options/successURL"),
        ({"successURL": None}, "/options/successURL"),
        ({"expiresAt": "soon"}, "/options/expiresAt"),
        ({"expiresAt": 1e300}, "/options/expiresAt"),
        ({"customText": {"submit": {"message": "x" * 1201}}}, "/options/customText/submit/message"),
        ({"taxIdCollection": {}}, "/options/taxIdCollection/enabled"),
        ({"taxIdCollection": {"enabled": 1}}, "/options/taxIdCollection/enabled"),
        ({"paymentMethodTypes": "card"}, "/options/paymentMethodTypes"),
        ({"customerUpdate": {"name": "yes"}}, "/options/customerUpdate/name"),
    ],
)
def test_names_the_option_that_is_wrong(
    program: Program, simulator: Simulator, options: Any, field: str
) -> None:
    answer = program.start(options=options)

    assert answer.status_code == 400
    assert [one["field"] for one in answer.get_json()["extensions"]["validationErrors"]] == [field]
    assert len(simulator.store.customers) == 0


def test_passes_on_what_stripe_says_of_the_options(program: Program, rows: Any) -> None:
    answer = program.start(options=OPTIONS | {"locale": "nowhere"})

    assert answer.status_code == 400
    body = answer.get_json()
    assert "locale" in body["detail"]
    assert [one["field"] for one in body["extensions"]["validationErrors"]] == ["/options/locale"]
    assert rows(CheckoutSession) == []

    assert program.start().status_code == 201
    assert len(rows(Customer)) == 1


def test_sends_every_option_under_the_name_in_force(program: Program, simulator: Simulator) -> None:
    answer = program.start(
        options=OPTIONS
        | {
            "uiMode": "hosted",
            "cancelURL": "https://example.com/back",
            "billingAddressCollection": "required",
            "customerUpdate": {"address": "auto", "name": "auto"},
            "consentCollection": {"paymentMethodReuseAgreement": {"position": "auto"}},
            "customText": {"submit": {"message": "Nearly there"}, "afterSubmit": {"message": "Thanks"}},
            "locale": "de",
            "paymentMethodTypes": ["card"],
            "taxIdCollection": {"enabled": False},
        }
    )

    session = simulator.store.checkout_sessions[answer.get_json()["sessionId"]]
    assert session["ui_mode"] == "hosted_page"
    assert session["cancel_url"] == "https://example.com/back"
    assert session["billing_address_collection"] == "required"
    assert session["payment_method_types"] == ["card"]
    assert session["custom_text"]["after_submit"]["message"] == "Thanks"
    assert session["locale"] == "de"


def test_reads_names_in_any_letter_case_and_ignores_unknown_ones(program: Program) -> None:
    customer = {"NAME": "ACME", "KEY": "k", "USAGEattribution": {"subjectkeys": ["m"]}, "id": "", "colour": 1}

    answer = program.start(customer, {"successUrl": "https://example.com", "CURRENCY": "EUR", "nope": None})

    assert answer.status_code == 201
    assert answer.get_json()["currency"] == "EUR"


def test_takes_the_customers_currency_when_none_is_given(program: Program) -> None:
    answer = program.start(ACME | {"currency": "SEK"}, {"successURL": "https://example.com"})

    assert answer.get_json()["currency"] == "SEK"


class TestStripeCustomerId:
    @pytest.fixture
    def stranger(self, program: Program, simulator: Simulator) -> str:
        """A Stripe customer that the portal does not know, beside one that it has."""
        first = program.start().get_json()
        stranger = simulator.store.customers[first["stripeCustomerId"]] | {"id": STRANGER, "metadata": {}}
        simulator.store.customers[STRANGER] = stranger
        return STRANGER

    def test_is_taken_when_it_is_there_and_free(self, program: Program, stranger: str) -> None:
        answer = program.start({"name": "Two", "key": "two"}, stripeCustomerId=stranger)

        assert answer.status_code == 201
        assert answer.get_json()["stripeCustomerId"] == stranger

    def test_is_refused_when_stripe_does_not_know_it(self, program: Program, rows: Any) -> None:
        assert program.start(stripeCustomerId="cus_unknown").status_code == 412
        assert rows(Customer) == []

    def test_is_refused_when_it_is_somebody_elses(self, program: Program) -> None:
        first = program.start().get_json()

        answer = program.start({"name": "Two", "key": "two"}, stripeCustomerId=first["stripeCustomerId"])

        assert answer.status_code == 412
        assert f"{first['stripeCustomerId']} is bound to another customer." in answer.get_json()["detail"]

    def test_is_refused_when_the_customer_has_another(self, program: Program, stranger: str) -> None:
        assert program.start(stripeCustomerId=stranger).status_code == 409

    @pytest.mark.parametrize("wrong", ["", "card_1", 5])
    def test_must_look_like_one(self, program: Program, wrong: Any) -> None:
        assert program.start(stripeCustomerId=wrong).status_code == 400


@pytest.mark.parametrize(("app_id", "status"), [("01G65Z755AFWAKHE12NY0CQ9FH", 404), ("x", 400)])
def test_refuses_an_app_that_is_not_installed(program: Program, app_id: str, status: int) -> None:
    assert program.start(appId=app_id).status_code == status


def test_needs_an_installed_app(bare_app: Flask) -> None:
    answer = bare_app.test_client().post(
        URL, json={"customer": ACME, "options": OPTIONS}, headers=bearer(bare_app)
    )

    assert answer.status_code == 404


def test_costs_two_stripe_calls_for_a_new_customer_and_for_one_with_an_open_page(
    program: Program, simulator: Simulator
) -> None:
    calls = StripeCalls.of(simulator)
    first = program.start().get_json()["sessionId"]
    new = list(calls.made)
    calls.clear()

    program.start()

    assert new == ["POST /v1/customers", "POST /v1/checkout/sessions"]
    closed = f"POST /v1/checkout/sessions/{first}/expire"
    assert calls.made == ["POST /v1/checkout/sessions", closed]


def test_the_same_key_gives_the_same_page(program: Program, simulator: Simulator) -> None:
    first, second = (program.start(key="order-1") for _ in range(2))

    assert first.get_json() == second.get_json()
    assert second.headers["Idempotency-Replayed"] == "true"
    assert len(simulator.store.checkout_sessions) == 1


@pytest.mark.parametrize("length", [1, 36, 128, 150, 200, 255])
def test_a_key_of_any_length_that_we_accept_works_at_stripe(
    program: Program, simulator: Simulator, length: int
) -> None:
    key = "k" * length

    first, second = (program.start(key=key) for _ in range(2))

    assert first.status_code == second.status_code == 201
    assert first.get_json() == second.get_json()
    assert len(simulator.store.checkout_sessions) == 1


def test_long_keys_that_differ_in_the_end_open_different_pages(
    program: Program, simulator: Simulator
) -> None:
    for end in "ab":
        assert program.start(key="k" * 254 + end).status_code == 201

    assert len(simulator.store.checkout_sessions) == 2


def test_all_metadata_that_is_promised_fits(program: Program, simulator: Simulator) -> None:
    full = {f"key-{number}": "x" for number in range(47)}

    answer = program.start(options=OPTIONS | {"metadata": full})

    session = simulator.store.checkout_sessions[answer.get_json()["sessionId"]]
    assert answer.get_json()["metadata"] == full
    assert len(session["metadata"]) == 50


def test_a_rejected_key_of_ours_is_no_fault_of_the_callers_token(
    program: Program, simulator: Simulator
) -> None:
    revoke_key(simulator.store, DEFAULT_API_KEY)

    answer = program.start()

    assert answer.status_code == 412
    assert "API key" in answer.get_json()["detail"]


def test_keeps_the_customer_while_stripe_is_away(program: Program, simulator: Simulator, rows: Any) -> None:
    simulator.faults.add("500", "POST /v1/checkout/sessions", times=20)

    answer = program.start()

    assert answer.status_code == 412
    assert [customer.key for customer in rows(Customer)] == [ACME["key"]]

    simulator.faults.clear()
    assert program.start().status_code == 201
    assert len(rows(Customer)) == len(simulator.store.customers) == 1


def test_many_identical_calls_make_one_customer(app: Flask, simulator: Simulator, rows: Any) -> None:
    headers = bearer(app)

    def call(_number: int) -> TestResponse:
        return app.test_client().post(URL, json={"customer": ACME, "options": OPTIONS}, headers=headers)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(call, range(30)))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.get_json()["customerId"] for answer in answers}) == 1
    assert len(simulator.store.customers) == len(rows(Customer)) == len(rows(Payer)) == 1
    assert len(rows(CheckoutSession)) == 30
