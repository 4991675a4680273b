"""With the policy `ask`, the customer says whether a new card becomes the default. Nothing changes before."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import sync
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.customers import Customer
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.billing import AMEX, MASTERCARD, VISA, BillingPage, after, plain, press, with_cards
from tests.support.browser import Page
from tests.support.links import LinkPage, make_link
from tests.support.portal import session_of, sign_up
from tests.support.return_page import look
from tests.support.rows import Rows

QUESTION = "Should Mastercard •••• 4444 become your default?"
VISA_TITLE, MASTERCARD_TITLE = "Visa •••• 4242", "Mastercard •••• 4444"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A portal that asks."""
    return make_settings(database_url=database_url, payment_method_policy="ask")


@pytest.fixture
def saved(client: FlaskClient, simulator: Simulator) -> FlaskClient:
    """A browser in which somebody has saved two cards, and was not asked yet."""
    return with_cards(client, simulator, VISA, MASTERCARD)


def choose(client: FlaskClient, page: Page, action: str) -> BillingPage:
    """Press one of the two buttons of the question."""
    return after(client, press(client, page.all("form", action=action)[0]))


def test_the_first_card_becomes_the_default(client: FlaskClient, simulator: Simulator) -> None:
    with_cards(client, simulator, VISA)

    page = BillingPage(client)

    assert "Default" in page.methods[0]
    assert "Should" not in page.text


def test_asks_on_both_pages(saved: FlaskClient) -> None:
    for text in (plain(look(saved).text), BillingPage(saved).text):
        assert QUESTION in text
        assert f"Until you choose, {VISA_TITLE} is your default." in text
        assert f"Keep the other one ({VISA_TITLE})" in text


def test_nothing_else_changes_the_default(app: Flask, saved: FlaskClient, simulator: Simulator) -> None:
    while simulator.deliver_due():
        pass
    with time_machine.travel(db.utcnow() + timedelta(days=2), tick=True), app.app_context():
        sync.run_until_idle()

        page = BillingPage(saved)

    assert page.titles == [VISA_TITLE, MASTERCARD_TITLE]
    assert QUESTION in page.text


def test_the_new_card_becomes_the_default(app: Flask, saved: FlaskClient, simulator: Simulator) -> None:
    page = choose(saved, look(saved), "/billing/default")

    assert page.titles == [MASTERCARD_TITLE, VISA_TITLE]
    assert "Should" not in page.text
    while simulator.deliver_due():
        pass
    with time_machine.travel(db.utcnow() + timedelta(days=2), tick=True), app.app_context():
        sync.run_until_idle()
        assert BillingPage(saved).titles == [MASTERCARD_TITLE, VISA_TITLE]


def test_the_old_card_stays_the_default(saved: FlaskClient, rows: Rows) -> None:
    first = look(saved)
    page = choose(saved, first, "/billing/keep")
    again = choose(saved, first, "/billing/keep")

    assert "Your default stays as it is" in page.text
    assert "Your default stays as it is" in again.text
    assert page.titles == [VISA_TITLE, MASTERCARD_TITLE]
    assert "Should" not in page.text
    assert "Should" not in look(saved).text
    assert [entry.kind for entry in rows(Entry)].count("default_method.kept") == 1
    assert after(saved, page.press("/billing/default", MASTERCARD_TITLE)).titles[0] == MASTERCARD_TITLE


def test_asks_again_about_the_next_card(saved: FlaskClient, simulator: Simulator) -> None:
    choose(saved, look(saved), "/billing/keep")
    simulator.save_card(session_of(BillingPage(saved).press("/resume")), AMEX)

    text = plain(look(saved).text)

    assert "Should American Express •••• 0005 become your default?" in text


def test_the_same_card_again_is_no_question(client: FlaskClient, simulator: Simulator) -> None:
    with_cards(client, simulator, VISA, VISA)

    assert "Should" not in BillingPage(client).text


def test_asks_who_opened_a_link_without_telling_the_card_from_before(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with_cards(client, simulator, VISA)
    guest = app.test_client()
    link = LinkPage(guest, make_link(app, rows(Customer)[0].id))
    answer = guest.post(link.path, data=link.token | {"another": "1"})
    simulator.save_card(session_of(answer), MASTERCARD)

    page = look(guest)

    assert QUESTION in plain(page.text)
    assert "Until you choose, the payment method from before is the default." in page.text
    assert "4242" not in page.text
    assert "Default" in choose(guest, page, "/billing/default").methods[0]


def test_does_not_ask_a_browser_that_only_came_back_from_stripe(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    with_cards(client, simulator, VISA)
    session_id = session_of(BillingPage(client).press("/resume"))
    simulator.save_card(session_id, MASTERCARD)
    back = simulator.store.checkout_sessions[session_id]["success_url"]
    path = back.replace("{CHECKOUT_SESSION_ID}", session_id).partition("8000")[2]

    assert "Should" not in Page.of(app.test_client().get(path)).text


def test_an_unsaved_card_is_no_question(client: FlaskClient, simulator: Simulator) -> None:
    sign_up(client)

    assert "Should" not in BillingPage(client).text
