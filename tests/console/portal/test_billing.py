"""What the policies mean for the billing page."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.core.config import Settings
from app.simulator import Simulator
from app.web import mail
from tests.conftest import make_settings
from tests.console.portal.test_portal import publish, save
from tests.support.billing import MASTERCARD, VISA, BillingPage, after, with_cards
from tests.support.console import sign_in
from tests.support.return_page import look


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    return sign_in(app, "admin")


@pytest.fixture
def mailbox(app: Flask) -> Iterator[mail.Mailbox]:
    """An installation that sends email."""
    yield app.extensions.setdefault(mail.EXTENSION, mail.Mailbox())
    del app.extensions[mail.EXTENSION]


def test_asks_customers_about_a_new_card(
    console: FlaskClient, client: FlaskClient, simulator: Simulator
) -> None:
    assert save(console, "policies", payment_method_policy="ask").status_code == 303
    publish(console)

    with_cards(client, simulator, VISA, MASTERCARD)

    assert "Should Mastercard" in look(client).text
    assert "Should Mastercard" in BillingPage(client).text


def test_lets_customers_remove_the_last_card(
    console: FlaskClient, client: FlaskClient, simulator: Simulator
) -> None:
    with_cards(client, simulator, VISA)
    save(console, "policies", may_remove_last="y")
    publish(console)

    page = after(client, BillingPage(client).removal("Visa").confirm())

    assert page.titles == []
    assert "No payment method is saved yet." in page.text


def test_turns_codes_off(
    app: Flask, console: FlaskClient, client: FlaskClient, mailbox: mail.Mailbox
) -> None:
    assert BillingPage(client).page.all("form", action="/billing/code")

    save(console, "policies", codes=None)
    publish(console)

    assert not BillingPage(client).page.all("form", action="/billing/code")


class TestWithAVariable:
    """`GANGWAY_PAYMENT_METHOD_POLICY` wins where it is set."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, payment_method_policy="keep")

    def test_says_that_the_variable_decides(self, app: Flask, console: FlaskClient) -> None:
        page = console.get("/operator/portal/profiles/default/policies").get_data(as_text=True)

        assert "GANGWAY_PAYMENT_METHOD_POLICY" in page
        with app.app_context():
            assert portal.profile().payment_method_policy == "keep"
