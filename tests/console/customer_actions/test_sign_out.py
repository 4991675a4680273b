"""An operator signs out every browser of a customer, however each came in. Other customers' stay."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.customers import Customer
from app.onboarding.billing.models import BillingCode
from app.simulator import Simulator
from app.web.mail import Mailbox
from tests.onboarding.billing.conftest import mailbox, other, saved
from tests.onboarding.billing.test_codes import WRONG, ask, enter, sent_code
from tests.onboarding.billing.test_people import accept, invited
from tests.support.billing import MASTERCARD, BillingPage, after, plain, with_cards
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.links import LinkPage, make_link
from tests.support.rows import Rows

__all__ = ["mailbox", "other", "saved"]

BUTTON = "Sign out every browser"


def sign_out(app: Flask, customer_id: str) -> str:
    """Press the button, and return what the page says then."""
    console = sign_in(app, "operator")
    path = f"/operator/customers/{customer_id}"
    assert BUTTON in Page.of(console.get(path)).text
    answer = post(console, f"{path}/sign-out")
    assert answer.status_code == 303
    return Page.of(console.get(answer.location)).text


def is_in(client: FlaskClient, customer_id: str) -> bool:
    """Does this browser see the billing page of the customer?"""
    return BillingPage(client, f"/billing?customer={customer_id}").page.h1 != "See your payment methods"


def test_ends_every_way_in(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    [customer] = rows(Customer)
    guest, person = app.test_client(), app.test_client()
    ask(other)
    after(other, enter(other, sent_code(mailbox)))
    link = LinkPage(guest, make_link(app, customer.id))
    guest.post(link.path, data=link.token | {"another": "1"})
    after(person, accept(person, invited(saved)))
    assert [is_in(each, customer.id) for each in (saved, other, guest, person)] == [True] * 4

    said = sign_out(app, customer.id)

    assert [is_in(each, customer.id) for each in (saved, other, guest, person)] == [False] * 4
    assert "4 browsers were signed out." in said
    [entry] = [entry for entry in rows(Entry) if entry.kind == "browsers.signed_out"]
    assert (entry.actor[:9], entry.customer_id, entry.facts) == ("operator:", customer.id, {"browsers": "4"})


def test_ends_the_return_page_and_the_form(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    [customer] = rows(Customer)

    sign_out(app, customer.id)

    assert customer.name not in saved.get(f"/return?customer={customer.id}").text
    assert customer.name not in saved.get("/signup").text


def test_ends_a_code_that_was_sent(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, rows: Rows
) -> None:
    ask(other)
    code = sent_code(mailbox)

    sign_out(app, rows(Customer)[0].id)

    assert WRONG in plain(Page.of(enter(other, code)).text)
    assert rows(BillingCode) == []


def test_lets_a_new_code_in(app: Flask, saved: FlaskClient, mailbox: Mailbox, rows: Rows) -> None:
    customer_id = rows(Customer)[0].id
    sign_out(app, customer_id)

    ask(saved)
    after(saved, enter(saved, sent_code(mailbox)))

    assert is_in(saved, customer_id)


def test_leaves_other_customers_alone(
    app: Flask, saved: FlaskClient, other: FlaskClient, mailbox: Mailbox, simulator: Simulator, rows: Rows
) -> None:
    king = "king@example.com"
    with_cards(app.test_client(), simulator, MASTERCARD, email=king, key="king", subject_keys=["king"])
    ask(other, king)
    after(other, enter(other, sent_code(mailbox)))
    first, second = sorted(rows(Customer), key=lambda customer: customer.id)

    said = sign_out(app, first.id)

    assert "One browser was signed out." in said
    assert not is_in(saved, first.id)
    assert is_in(other, second.id)


def test_says_when_there_was_nothing(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    customer_id = rows(Customer)[0].id
    sign_out(app, customer_id)

    assert "No browser was signed in." in sign_out(app, customer_id)


@pytest.mark.parametrize("role", ["viewer"])
def test_is_not_for_viewers(app: Flask, saved: FlaskClient, rows: Rows, role: str) -> None:
    customer_id = rows(Customer)[0].id
    console = sign_in(app, role)

    assert BUTTON not in Page.of(console.get(f"/operator/customers/{customer_id}")).text
    assert post(console, f"/operator/customers/{customer_id}/sign-out").status_code == 403
    assert is_in(saved, customer_id)
