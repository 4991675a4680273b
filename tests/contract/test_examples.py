"""The command that the product was asked for, byte for byte."""

import http.client
import json
import shutil
from typing import Any

import pytest

from app.customers import Customer
from app.payers import Payer
from app.simulator import Simulator
from tests.contract.conftest import Place
from tests.support.processes import PATIENCE, PROCESS_MARKS, start
from tests.support.rows import Rows

BODY = (
    '{"customer": {"name": "ACME, Inc.", "currency": "USD", "usageAttribution": {"subjectKeys": '
    '["my-identifier"]}}, "options": {"successUrl": "https://example.com/success"}}'
)


def by_curl(place: Place) -> Any:
    command = (
        *("curl", "--silent", "--show-error", "--noproxy", "*", "--fail-with-body"),
        *("-X", "POST", f"{place.url}/api/v1/stripe/checkout/sessions"),
        *("-H", f"Authorization: Bearer {place.token}", "-H", "Content-Type: application/json"),
        *("-d", BODY),
    )
    with start(*command) as program:
        status, printed, error = program.end()
    assert status == 0, printed + error
    return json.loads(printed)


def by_http(place: Place) -> Any:
    connection = http.client.HTTPConnection(place.url.removeprefix("http://"), timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {place.token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/stripe/checkout/sessions", BODY, headers)
    with connection.getresponse() as answer:
        told = json.loads(answer.read())
    connection.close()
    assert answer.status == 201
    return told


@pytest.mark.parametrize("way", [by_http, pytest.param(by_curl, marks=PROCESS_MARKS)])
def test_the_curl_example_works_twice(place: Place, simulator: Simulator, rows: Rows, way: Any) -> None:
    if way is by_curl and shutil.which("curl") is None:
        pytest.skip("no curl on the path")

    first, second = (way(place) for _ in range(2))

    [customer] = rows(Customer)
    [payer] = rows(Payer)
    assert first["customerId"] == second["customerId"] == customer.id
    assert first["stripeCustomerId"] == second["stripeCustomerId"] == payer.stripe_customer_id
    assert first["sessionId"] != second["sessionId"]
    assert first["currency"] == "USD"
    assert first["successURL"] == "https://example.com/success"
    assert (customer.name, customer.currency, customer.subject_keys) == (
        "ACME, Inc.",
        "USD",
        ["my-identifier"],
    )
    assert len(simulator.store.customers) == 1
    assert len(simulator.store.checkout_sessions) == 2
