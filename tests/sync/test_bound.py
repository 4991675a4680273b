"""A Stripe customer that is given to us may have methods from before: all of them are asked about."""

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.payers import Payer, PaymentMethod
from tests.support.rows import Rows
from tests.support.tokens import program
from tests.support.world import World


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    return program(app)


@pytest.fixture
def given(world: World) -> str:
    """A Stripe customer (cus_…) with two cards, none of them the default. No event reported it."""
    customer = str(world.stripe("POST", "/v1/customers", name="Ada at Stripe")["id"])
    for card in ("pm_card_visa", "pm_card_mastercard"):
        world.stripe("POST", f"/v1/payment_methods/{card}/attach", customer=customer)
    world.lose_events()
    return customer


def assert_known(rows: Rows) -> None:
    """Both cards are known, and the missing events count as no drift."""
    assert {method.brand for method in rows(PaymentMethod)} == {"visa", "mastercard"}
    assert [payer.drift for payer in rows(Payer)] == [None]


def test_when_a_program_binds_it(api: FlaskClient, world: World, given: str, rows: Rows) -> None:
    made = api.post("/api/v1/customers", json={"name": "Ada", "key": "ada"}).get_json()
    api.put(f"/api/v1/customers/{made['id']}/stripe", json={"stripeCustomerId": given})

    world.work()

    assert_known(rows)


def test_when_a_page_is_opened_for_it(
    api: FlaskClient, world: World, given: str, rows: Rows, clock: time_machine.Traveller
) -> None:
    body = {
        "customer": {"name": "Ada", "usageAttribution": {"subjectKeys": ["ada"]}},
        "stripeCustomerId": given,
        "options": {"successURL": "https://example.com/", "currency": "USD"},
    }
    assert api.post("/api/v1/stripe/checkout/sessions", json=body).status_code == 201

    clock.shift(121)
    world.work()

    assert_known(rows)
