"""Every answer is one that OpenMeter's own description allows."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.simulator import DEFAULT_API_KEY, Simulator
from tests.support.api import JSON
from tests.support.openmeter import HeldApi, description, needs_subset
from tests.support.tokens import bearer

pytestmark = needs_subset

WHOLE: JSON = {
    "name": "ACME, Inc.",
    "key": "acme",
    "usageAttribution": {"subjectKeys": ["b", "a"]},
    "description": "Makes everything.",
    "primaryEmail": "billing@acme.example",
    "currency": "EUR",
    "billingAddress": {"country": "DE", "city": "Berlin", "line1": "Weg 1"},
    "metadata": {"plan": "pro"},
}
PAGE = {"successURL": "https://example.com/success", "currency": "USD"}
UNKNOWN = "01G65Z755AFWAKHE12NY0CQ9FH"


@pytest.fixture
def held(app: Flask, client: FlaskClient) -> HeldApi:
    return HeldApi(client, bearer(app))


def test_of_customers(held: HeldApi) -> None:
    made = held.post("/customers", WHOLE)
    statuses = [
        made.status_code,
        held.post("/customers", WHOLE).status_code,
        held.post("/customers", {}).status_code,
        held.post("/customers", {"name": "B", "key": "b2"}).status_code,
        held.get("/customers").status_code,
        held.get("/customers", pageSize=1, page=5).status_code,
        held.get("/customers", page=0).status_code,
        held.get("/customers/acme").status_code,
        held.get("/customers/nobody").status_code,
        held.put("/customers/acme", {"name": "New", "key": "acme"}).status_code,
        held.put("/customers/acme", {"name": ""}).status_code,
        held.delete("/customers/acme").status_code,
        held.get(f"/customers/{made.get_json()['id']}").status_code,
        held.delete(f"/customers/{made.get_json()['id']}").status_code,
    ]

    assert statuses == [201, 409, 400, 201, 200, 200, 400, 200, 404, 200, 400, 204, 200, 412]


@pytest.mark.parametrize(
    "options",
    [
        PAGE,
        PAGE | {"uiMode": "hosted", "cancelURL": "https://example.com/c", "locale": "de"},
        {"uiMode": "embedded", "returnURL": "https://example.com/r", "currency": "EUR"},
        PAGE | {"metadata": {"plan": "pro"}, "clientReferenceID": "ref-1", "paymentMethodTypes": ["card"]},
    ],
)
def test_of_checkout(held: HeldApi, options: JSON) -> None:
    answer = held.post("/stripe/checkout/sessions", {"customer": WHOLE, "options": options})

    assert answer.status_code == 201


def test_of_refused_checkouts(held: HeldApi) -> None:
    bodies: list[tuple[JSON, int]] = [
        ({}, 400),
        ({"customer": {"id": UNKNOWN}, "options": PAGE}, 404),
        ({"customer": WHOLE, "options": PAGE, "appId": UNKNOWN}, 404),
        ({"customer": WHOLE, "options": PAGE, "stripeCustomerId": "cus_unknown"}, 412),
        ({"customer": WHOLE, "options": {"successURL": "nonsense"}}, 400),
    ]

    statuses = [held.post("/stripe/checkout/sessions", body).status_code for body, _ in bodies]

    assert statuses == [status for _, status in bodies]


def test_of_what_stripe_knows_of_a_customer(held: HeldApi, simulator: Simulator) -> None:
    opened = held.post("/stripe/checkout/sessions", {"customer": WHOLE, "options": PAGE}).get_json()
    bound = {"stripeCustomerId": opened["stripeCustomerId"]}
    held.post("/customers", {"name": "Nobody", "key": "unbound"})

    statuses = [
        held.get("/customers/acme/stripe").status_code,
        held.get("/customers/unbound/stripe").status_code,
        held.put("/customers/acme/stripe", bound).status_code,
        held.put("/customers/unbound/stripe", bound).status_code,
        held.get("/customers/acme/apps").status_code,
        held.get("/customers/acme/apps", type="odd").status_code,
        held.put("/customers/acme/apps", [{"type": "stripe", **bound}]).status_code,
        held.post("/customers/acme/stripe/portal", {"returnUrl": "https://example.com/back"}).status_code,
        held.post("/customers/unbound/stripe/portal", {}).status_code,
        held.delete(f"/customers/acme/apps/{held.get('/apps').get_json()['items'][0]['id']}").status_code,
        held.get("/customers/nobody/stripe").status_code,
    ]

    assert statuses == [200, 412, 200, 412, 200, 400, 200, 201, 412, 204, 404]


def test_of_apps(held: HeldApi) -> None:
    [app] = held.get("/apps").get_json()["items"]
    path = f"/apps/{app['id']}"

    statuses = [
        held.get(path).status_code,
        held.get(f"/apps/{UNKNOWN}").status_code,
        held.put(path, {"type": "stripe", "name": "New", "description": "Mine"}).status_code,
        held.put(path, {"type": "sandbox", "name": "New"}).status_code,
        held.put(f"{path}/stripe/api-key", {"secretAPIKey": DEFAULT_API_KEY}).status_code,
        held.put(f"{path}/stripe/api-key", {"secretAPIKey": "sk_test_wrong"}).status_code,
        held.delete(path).status_code,
        held.get(path).status_code,
        held.get("/apps").status_code,
    ]

    assert statuses == [200, 404, 200, 400, 204, 401, 204, 200, 200]


def test_of_the_marketplace(held: HeldApi) -> None:
    [app] = held.get("/apps").get_json()["items"]
    held.delete(f"/apps/{app['id']}")
    install = "/marketplace/listings/stripe/install"

    statuses = [
        held.get("/marketplace/listings").status_code,
        held.get("/marketplace/listings/stripe").status_code,
        held.get("/marketplace/listings/odd").status_code,
        held.post(f"{install}/apikey", {"apiKey": DEFAULT_API_KEY, "name": "Mine"}).status_code,
        held.post(f"{install}/apikey", {"apiKey": DEFAULT_API_KEY}).status_code,
        held.post(f"{install}/apikey", {"apiKey": "sk_test_wrong"}).status_code,
        held.post(install, {}).status_code,
        held.post("/stripe/checkout/sessions", {"customer": WHOLE, "options": PAGE}).status_code,
    ]

    assert statuses == [200, 200, 400, 200, 409, 401, 400, 201]


def test_of_who_may_not(app: Flask, client: FlaskClient) -> None:
    stranger, reader = HeldApi(client, {}), HeldApi(client, bearer(app, "read"))

    assert stranger.get("/customers").status_code == 401
    assert reader.post("/customers", WHOLE).status_code == 403


def test_everything_described_is_there(app: Flask) -> None:
    described = {
        (method.upper(), path.replace("{", "<").replace("}", ">"))
        for path, operations in description()["paths"].items()
        for method in operations.keys() & {"get", "post", "put", "delete"}
    }

    routes = {
        (method, rule.rule.replace("segment:", "").replace("app_id>/stripe", "id>/stripe"))
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }
    assert described - routes == set()
