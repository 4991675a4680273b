"""The billing page shows a customer's payment methods, and only to a browser that may see them."""

import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core import db
from app.customers import Customer
from app.onboarding.models import Signup
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.support.billing import AMEX, MASTERCARD, VISA, BillingPage, add_method, plain, with_cards
from tests.support.browser import Page
from tests.support.links import LinkPage, make_link, revoke
from tests.support.portal import session_of, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile

LATER = timedelta(minutes=2)
HIDDEN = "saved before aren't shown here"


@pytest.fixture
def saved(client: FlaskClient, simulator: Simulator) -> FlaskClient:
    """A browser in which somebody has saved two cards; the second is the default."""
    return with_cards(client, simulator, VISA, MASTERCARD)


@pytest.fixture
def guest(app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows) -> FlaskClient:
    """Another browser that came by a link afterwards, and saved a third card."""
    browser = app.test_client()
    link = LinkPage(browser, make_link(app, rows(Customer)[0].id))
    answer = browser.post(link.path, data=link.token | {"another": "1"})
    simulator.save_card(session_of(answer), AMEX)
    assert browser.get("/return").status_code == 200
    return browser


def test_lists_the_methods_with_the_default_first(saved: FlaskClient) -> None:
    page = BillingPage(saved)

    assert page.titles == ["Mastercard •••• 4444", "Visa •••• 4242"]
    assert "Default" in page.methods[0]
    assert "Default" not in page.methods[1].replace("Make default", "")
    assert "Valid to" in page.methods[1]


def test_shows_what_stripe_gets_and_what_happened(saved: FlaskClient) -> None:
    page = BillingPage(saved)

    side = page.page.one("aside").text
    assert "Ada Lovelace Ltd" in side
    assert "ada@example.com" in side
    assert "Mastercard •••• 4444 became the default" in page.text
    assert "Visa •••• 4242 was saved" in page.text
    assert "pm_" not in page.text


def test_writes_days_as_a_link_does(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    link = Page.of(app.test_client().get(make_link(app, rows(Customer)[0].id)))
    [end] = [time.text for time in link.all("time")]

    days = {time.text for time in BillingPage(saved).page.all("time")}

    assert all(re.fullmatch(r"\d+ [A-Z][a-z]+ \d{4}", day) for day in {end, *days})
    assert days


def test_shows_what_stripe_has_now(saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with time_machine.travel(rows(Payer)[0].verified_at + LATER, tick=True):
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)

        assert BillingPage(saved).titles == ["Mastercard •••• 4444"]


def test_shows_the_address_and_tax_id_that_stripe_has(saved: FlaskClient, app: Flask) -> None:
    address = {"line1": "Am Kai 1", "postalCode": "20457", "city": "Hamburg", "country": "DE"}
    contact = {"phone": "+49 40 1", "address": address, "collected": {"tax_ids": ["DE123456789 (eu_vat)"]}}
    with app.app_context():
        db.session().execute(sa.update(Payer).values(stripe_contact=contact))
        db.session().commit()

    side = BillingPage(saved).page.one("aside").text

    for part in ("Am Kai 1", "20457 Hamburg", "DE123456789", "+49 40 1"):
        assert part in side


def test_shows_a_japanese_address_from_the_large_to_the_small(saved: FlaskClient, app: Flask) -> None:
    address = {
        "line1": "丸の内1-1",
        "postalCode": "100-0005",
        "city": "千代田区",
        "state": "東京都",
        "country": "JP",
    }
    with app.app_context():
        db.session().execute(sa.update(Payer).values(stripe_contact={"address": address}))
        db.session().commit()

    sides = {
        language: Page.of(saved.get("/billing", query_string={"language": language})).one("aside").text
        for language in ("ja", "en")
    }

    assert "100-0005 東京都 千代田区 丸の内1-1 日本" in sides["ja"]
    assert "丸の内1-1 100-0005 千代田区 東京都 Japan" in sides["en"]


def test_isolates_a_phone_number_from_words_that_run_to_the_left(saved: FlaskClient, app: Flask) -> None:
    with app.app_context():
        db.session().execute(sa.update(Payer).values(stripe_contact={"phone": "+49 40 1"}))
        db.session().commit()

    page = Page.of(saved.get("/billing?language=ar"))

    assert "+49 40 1" in [each.text for each in page.one("aside").all("bdi")]


def test_offers_to_add_a_method_before_there_is_any(client: FlaskClient, simulator: Simulator) -> None:
    sign_up(client)

    page = BillingPage(client)

    assert "No payment method is saved yet." in page.text
    simulator.save_card(session_of(page.press("/resume")))
    client.get("/return")
    assert BillingPage(client).titles == ["Visa •••• 4242"]


def test_adds_another_method(saved: FlaskClient, simulator: Simulator) -> None:
    add_method(saved, simulator, AMEX)

    assert BillingPage(saved).titles == [
        "American Express •••• 0005",
        "Mastercard •••• 4444",
        "Visa •••• 4242",
    ]


def test_says_how_to_get_in_to_a_browser_that_nobody_knows(
    app: Flask, saved: FlaskClient, rows: Rows
) -> None:
    stranger = app.test_client()

    for path in ("/billing", f"/billing?customer={rows(Customer)[0].id}", "/billing?customer=x"):
        page = BillingPage(stranger, path)

        assert page.page.h1 == "See your payment methods"
        assert "help@example.com" in page.text
        assert "4242" not in page.text


def test_forgets_a_browser_after_its_days(saved: FlaskClient, rows: Rows) -> None:
    with time_machine.travel(rows(Payer)[0].verified_at + timedelta(days=91), tick=True):
        assert "4242" not in BillingPage(saved).text


def test_forgets_a_browser_that_comes_again_and_again(saved: FlaskClient, rows: Rows) -> None:
    shown = []
    for days in (60, 91):
        with time_machine.travel(rows(Signup)[0].created_at + timedelta(days=days), tick=True):
            shown.append("4242" in BillingPage(saved).text)

    assert shown == [True, False]


def test_knows_a_guest_again_that_comes_back_by_a_link(app: Flask, guest: FlaskClient, rows: Rows) -> None:
    [customer], begun = rows(Customer), db.utcnow()
    with time_machine.travel(begun + timedelta(days=60), tick=True):
        assert "American Express" in BillingPage(guest).text
    with time_machine.travel(begun + timedelta(days=91), tick=True):
        assert HIDDEN not in BillingPage(guest).text
        link = LinkPage(guest, make_link(app, customer.id))
        guest.post(link.path, data=link.token | {"another": "1"})

        page = BillingPage(guest)

    assert HIDDEN in page.text
    assert "American Express" not in page.text


def test_shows_nothing_of_a_deleted_customer(app: Flask, saved: FlaskClient) -> None:
    with app.app_context():
        db.session().execute(sa.update(Customer).values(deleted_at=db.utcnow()))
        db.session().commit()

    assert BillingPage(saved).page.h1 == "See your payment methods"


def test_shows_a_guest_only_what_was_saved_since(guest: FlaskClient) -> None:
    page = BillingPage(guest)

    assert page.titles == ["American Express •••• 0005"]
    assert HIDDEN in page.text
    assert "4242" not in page.text
    assert "4444" not in page.text
    assert "ada@example.com" not in page.page.text
    assert "Recent activity" not in page.text
    assert not page.page.all("form", action="/billing/stripe")


def test_shows_nothing_by_a_revoked_link(app: Flask, saved: FlaskClient, rows: Rows) -> None:
    browser = app.test_client()
    link = LinkPage(browser, make_link(app, rows(Customer)[0].id))
    browser.post(link.path, data=link.token | {"another": "1"})
    assert HIDDEN in BillingPage(browser).text
    revoke(app, link.path)

    assert BillingPage(browser).page.h1 == "See your payment methods"


def test_shows_no_method_of_who_is_unbound_while_stripe_answers(
    app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    [payer] = rows(Payer)
    unlink = meanwhile(app, "DELETE", f"/api/v1/customers/{payer.customer_id}/apps/{payer.app_id}")
    StripeCalls.of(simulator).after(f"GET /v1/customers/{payer.stripe_customer_id}", unlink)

    with time_machine.travel(payer.verified_at + LATER, tick=True):
        page = BillingPage(saved)

    assert page.answer.status_code == 200
    assert rows(Payer)[0].deleted_at is not None
    assert page.titles == []


def test_tells_that_a_bank_account_has_to_be_confirmed(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client)
    simulator.pay_by_bank(session_id, verify="later")

    page = BillingPage(client)

    assert "A bank account needs one more step" in page.text
    [link] = [link for link in page.page.all("a") if "Confirm your bank account" in link.text]
    assert link["href"].startswith("http")


@pytest.mark.parametrize("kind", ["503", "429", "timeout_after"])
def test_shows_the_latest_information_while_stripe_is_away(
    saved: FlaskClient, simulator: Simulator, rows: Rows, kind: str
) -> None:
    with time_machine.travel(rows(Payer)[0].verified_at + LATER, tick=True):
        simulator.faults.add(kind, times=50)

        page = BillingPage(saved)

        assert "We couldn't check with Stripe just now" in page.text
        assert "Visa •••• 4242" in page.text
        assert not page.page.all("form", action="/billing/stripe")


def test_works_before_stripe_is_installed(bare_app: Flask) -> None:
    browser = bare_app.test_client()
    browser.get("/signup")

    assert BillingPage(browser).page.h1 == "See your payment methods"


def test_the_return_page_leads_there(saved: FlaskClient) -> None:
    page = saved.get("/return").get_data(as_text=True)

    assert 'href="/billing?customer=' in plain(page)
