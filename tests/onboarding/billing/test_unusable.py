"""The billing page counts on nothing that can't be charged, and tells a guest nothing of what came before."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import sync
from app.customers import Customer
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.support.billing import AMEX, VISA, BillingPage, add_method, press
from tests.support.links import LinkPage, make_link
from tests.support.portal import sign_up
from tests.support.rows import Rows

LATER = timedelta(minutes=2)
VISA_TITLE, AMEX_TITLE = "Visa •••• 4242", "American Express •••• 0005"


@pytest.fixture
def later(saved: FlaskClient, rows: Rows) -> Iterator[None]:
    """Our record is old enough that the page asks Stripe."""
    with time_machine.travel(rows(Payer)[0].verified_at + LATER, tick=True):
        yield


def expire(simulator: Simulator, rows: Rows, last4: str) -> str:
    """Let a card be too old, and return its id."""
    [method] = [row.id for row in rows(PaymentMethod) if row.last4 == last4]
    simulator.age_card(method, month=1, year=2020)
    return str(method)


@pytest.mark.usefixtures("later")
def test_an_expired_card_can_not_become_the_default(
    saved: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    expire(simulator, rows, "4242")

    line = BillingPage(saved).line(VISA_TITLE)

    assert "Expired" in line.text
    assert not line.all("form", action="/billing/default")


@pytest.mark.usefixtures("later")
def test_the_last_card_that_can_be_charged_stays(
    saved: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    expire(simulator, rows, "4444")
    [visa] = [row.id for row in rows(PaymentMethod) if row.last4 == "4242"]
    form = BillingPage(saved).page.one("form", action="/billing/stripe")
    form.attributes["action"] = "/billing/remove"

    press(saved, form, method=visa)

    assert simulator.store.payment_methods[visa]["customer"] is not None


def test_an_expired_card_does_not_take_the_place_of_the_default(
    saved: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    add_method(saved, simulator, AMEX)
    with time_machine.travel(rows(Payer)[0].verified_at + LATER, tick=True):
        expire(simulator, rows, "4444")

        BillingPage(saved).removal(AMEX_TITLE).confirm()

    [customer] = simulator.store.customers.values()
    default = customer["invoice_settings"]["default_payment_method"]
    assert simulator.store.payment_methods[default]["card"]["last4"] == "4242"


def test_an_account_that_the_bank_gave_up_does_not_take_its_place(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.pay_by_bank(sign_up(client))
    client.get("/return")
    add_method(client, simulator, VISA)
    [visa] = [row.id for row in rows(PaymentMethod) if row.last4 == "4242"]
    [mandate] = [row["id"] for row in simulator.store.mandates.values()]
    simulator.settle_mandate(mandate, "inactive")
    while simulator.deliver_due():
        pass
    with app.app_context():
        sync.run_until_idle()
    form = BillingPage(client).page.one("form", action="/billing/stripe")
    form.attributes["action"] = "/billing/remove"

    press(client, form, method=visa)

    assert "inactive" in {row.mandate_status for row in rows(PaymentMethod)}
    assert simulator.store.payment_methods[visa]["customer"] is not None


@pytest.mark.usefixtures("later")
def test_a_customer_that_is_gone_at_stripe_has_no_page_there(
    saved: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.delete_customer(str(rows(Payer)[0].stripe_customer_id))
    BillingPage(saved)

    page = BillingPage(saved)

    assert page.titles == []
    assert not page.page.all("form", action="/billing/stripe")


def test_a_guest_is_not_asked_to_confirm_an_account_from_before(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.pay_by_bank(sign_up(client), verify="later")
    assert "Confirm your bank account" in BillingPage(client).text
    guest = app.test_client()
    link = LinkPage(guest, make_link(app, rows(Customer)[0].id))

    guest.post(link.path, data=link.token | {"another": "1"})

    page = BillingPage(guest)
    assert page.page.h1 == "Your payment methods"
    assert "Confirm your bank account" not in page.text
