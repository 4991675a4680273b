"""The return page says which method is the default, and when it expires or was removed. It offers a new
page at Stripe then."""

from datetime import datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient

from app.core.config import Settings
from app.core.db import utcnow
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.portal import session_of, sign_up
from tests.support.return_page import look
from tests.support.rows import Rows

EXPIRES_SOON = "Saved, but your card expires soon"


def resume_fields(page: Page) -> dict[str, str]:
    form = page.one("form", action="/resume")
    return {field["name"]: field.get("value") for field in form.all("input")}


def test_sees_a_card_that_was_removed(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(timedelta(minutes=2))

        page = look(client)

        assert page.h1 == "Your payment method was removed"
        assert "4242" in page.one("main").text
        assert page.one("form", action="/resume")


def test_does_not_call_removed_what_is_only_not_chosen(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.choose_default(rows(Payer)[0].stripe_customer_id, None)
        clock.shift(timedelta(minutes=2))

        page = look(client)

        assert page.h1 == "You have no default payment method"
        assert "no longer kept" not in page.text
        assert page.one("form", action="/resume")


def test_sees_a_customer_that_was_deleted_at_stripe(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.delete_customer(rows(Payer)[0].stripe_customer_id)
        clock.shift(timedelta(minutes=2))

        page = look(client)

        assert page.h1 == "Your record on Stripe was deleted"
        assert page.one("form", action="/resume")


@pytest.mark.parametrize(
    ("then", "first", "now", "second"),
    [
        ("2034-12-01T23:00Z", "Your payment method is saved", "2034-12-02T00:01Z", EXPIRES_SOON),
        ("2034-12-31T23:00Z", EXPIRES_SOON, "2035-01-01T00:01Z", "Your card has expired"),
    ],
)
def test_tells_when_the_card_expires(
    client: FlaskClient, simulator: Simulator, then: str, first: str, now: str, second: str
) -> None:
    with time_machine.travel(datetime.fromisoformat(then), tick=True) as clock:
        simulator.save_card(sign_up(client), expiry="12/34")
        before = look(client)
        clock.move_to(datetime.fromisoformat(now))

        after = look(client)

        assert (before.h1, after.h1) == (first, second)
        assert "4242" in after.text


def test_says_which_of_two_methods_is_charged(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        look(client)
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(timedelta(minutes=2))
        look(client)
        answer = client.post("/resume", data=resume_fields(look(client)))
        simulator.save_card(session_of(answer), "5555555555554444")

        page = look(client)

        assert page.h1 == "Your payment method is saved"
        assert "Mastercard" in page.text
        assert "Visa" not in page.one("main").text


@pytest.mark.parametrize(
    ("then", "now"), [("2034-12-01T23:00Z", "2034-12-02T00:01Z"), ("2034-12-31T23:00Z", "2035-01-01T00:01Z")]
)
def test_leads_to_a_new_page_when_the_card_expires(
    client: FlaskClient, simulator: Simulator, then: str, now: str
) -> None:
    with time_machine.travel(datetime.fromisoformat(then), tick=True) as clock:
        simulator.save_card(sign_up(client), expiry="12/34")
        look(client)
        clock.move_to(datetime.fromisoformat(now))

        session_id = session_of(client.post("/resume", data=resume_fields(look(client))))
        simulator.save_card(session_id, "5555555555554444", expiry="12/40")
        page = look(client)

        assert page.h1 == "Your payment method is saved"
        assert "It replaces Visa" in page.text.replace("\xa0", " ")


class TestThatKeepsMethods:
    """With the policy `keep`, a second method does not take the place of the first."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, payment_method_policy="keep")

    def test_makes_the_first_method_the_one_charged(
        self, client: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.save_card(sign_up(client))

        look(client)

        assert rows(Payer)[0].default_method_id == rows(PaymentMethod)[0].id
