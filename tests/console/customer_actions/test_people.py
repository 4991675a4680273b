"""Operators invite people to a customer's billing page, and remove them."""

from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.onboarding.models import BillingPerson, Consent
from app.outbox import OutboxMessage
from app.simulator import Simulator
from app.web.mail import Mailbox
from tests.onboarding.billing.conftest import mailbox
from tests.onboarding.billing.test_people import invited
from tests.support.billing import MASTERCARD, BillingPage, after, plain, press, with_cards
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.rows import Rows

__all__ = ["mailbox"]

GRACE = "grace@example.com"


def test_lead_a_person_in_and_out(app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with_cards(client, simulator, MASTERCARD)
    console, path = sign_in(app, "operator"), f"/operator/customers/{rows(Customer)[0].id}"
    person = app.test_client()

    answer = post(console, f"{path}/people", email=f" {GRACE.upper()} ")
    page = Page.of(console.get(answer.location))
    link = page.one("input", id="once")["value"].partition("8000")[2]

    assert GRACE in page.text
    assert "/billing/invitation/" not in Page.of(console.get(path)).html
    form = Page.of(person.get(link)).one("form", action=link)
    assert after(person, press(person, form)).titles == ["Mastercard •••• 4444"]
    assert "Has access" in Page.of(console.get(path)).text

    post(console, f"{path}/people/{rows(BillingPerson)[0].id}/remove")

    assert BillingPage(person).page.h1 == "See your payment methods"
    assert GRACE not in Page.of(console.get(path)).text
    kinds = [
        (entry.kind, entry.actor[:9])
        for entry in rows(Entry)
        if entry.kind.startswith(("person.", "billing_page."))
    ]
    assert kinds == [
        ("person.invited", "operator:"),
        ("billing_page.entered", "visitor"),
        ("person.removed", "operator:"),
    ]


def test_say_who_invited_whom(app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with_cards(client, simulator, MASTERCARD)
    console, path = sign_in(app, "operator"), f"/operator/customers/{rows(Customer)[0].id}"
    invited(client, "eve@example.com")

    post(console, f"{path}/people", email=GRACE)

    shown = plain(Page.of(console.get(path)).one("section", **{"aria-labelledby": "people"}).text)
    assert "eve@example.com Invited by the customer" in shown
    assert f"{GRACE} Invited by Some operator" in shown


def test_send_the_invitation_where_email_is_set_up(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, mailbox: Mailbox
) -> None:
    with_cards(client, simulator, MASTERCARD)
    console, path = sign_in(app, "operator"), f"/operator/customers/{rows(Customer)[0].id}"

    answer = post(console, f"{path}/people", email=GRACE)

    page, [message] = Page.of(console.get(answer.location)), mailbox.messages
    assert f"We have sent it to {GRACE} ." in page.text
    assert message.to == GRACE
    assert page.one("input", id="once")["value"] in message.text


def test_write_the_invitation_in_the_language_of_the_customer(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, mailbox: Mailbox
) -> None:
    with_cards(client, simulator, MASTERCARD)
    [customer] = rows(Customer)
    with app.app_context():
        db.session().add(Consent(customer_id=customer.id, kind="sentence", version="1", language="de"))
        db.session().commit()

    post(sign_in(app, "operator"), f"/operator/customers/{customer.id}/people", email=GRACE)

    assert "Einladung" in mailbox.messages[0].subject


def test_send_nothing_without_email(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with_cards(client, simulator, MASTERCARD)
    console, path = sign_in(app, "operator"), f"/operator/customers/{rows(Customer)[0].id}"

    answer = post(console, f"{path}/people", email=GRACE)

    page = Page.of(console.get(answer.location))
    assert "Copy it now and send it to the person." in page.text
    assert "We have sent it" not in page.text
    assert rows(OutboxMessage) == []


def test_refuse_what_can_not_be(app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with_cards(client, simulator, MASTERCARD)
    console, path = sign_in(app, "operator"), f"/operator/customers/{rows(Customer)[0].id}"

    for action, fields, words in (
        ("people", {"email": "x"}, "Enter an email address"),
        ("people", {}, "Enter an email address"),
        ("people/x/remove", {}, "There is no such person"),
    ):
        answer = post(console, f"{path}/{action}", **fields)
        assert words in Page.of(console.get(answer.location)).text
    assert rows(BillingPerson) == []


def test_name_the_address(app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with_cards(client, simulator, MASTERCARD)
    customer_id = rows(Customer)[0].id

    page = Page.of(sign_in(app, "viewer").get(f"/operator/customers/{customer_id}"))

    assert f"/billing?customer={customer_id}" in page.text
    assert not page.all("input", name="email")
