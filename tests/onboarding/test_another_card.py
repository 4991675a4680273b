"""Somebody who has a good card can use another one: from the saved page, from a used link and from /signup.
It is one more Checkout Session for the same payer, and the policy decides which card is the default."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.checkout import CheckoutSession
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.customers import Customer
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Element, Page
from tests.support.links import go_to_stripe, make_customer, make_link
from tests.support.portal import session_of, sign_up
from tests.support.return_page import DECLINED, look
from tests.support.rows import Rows

MASTERCARD = "5555555555554444"


def press(client: FlaskClient, form: Element, **more: str) -> TestResponse:
    """Send a form of a page as its button does."""
    fields = {field["name"]: field.get("value") for field in form.all("input")}
    return client.post(form["action"], data=fields | more)


def another(client: FlaskClient, path: str = "/return") -> str:
    """Press "Use another card" on a page; the id of the session (cs_…) that it leads to."""
    page = Page.of(client.get(path))
    [form] = [form for form in page.all("form", action="/resume") if "Use another card" in form.text]
    return session_of(press(client, form))


@pytest.fixture
def saved(client: FlaskClient, simulator: Simulator) -> FlaskClient:
    """A browser in which somebody has saved a Visa card."""
    simulator.save_card(sign_up(client))
    assert look(client).h1 == "Your payment method is saved"
    return client


@pytest.mark.parametrize("path", ["/return", "/signup"])
def test_replaces_the_default(saved: FlaskClient, simulator: Simulator, rows: Rows, path: str) -> None:
    simulator.save_card(another(saved, path), MASTERCARD)

    page = look(saved)

    [payer] = rows(Payer)
    chosen = {row.id: row.brand for row in rows(PaymentMethod)}
    assert chosen[payer.default_method_id] == "mastercard"
    assert len(simulator.store.customers) == 1
    assert "is now your default. It replaces Visa •••• 4242" in page.text.replace("\xa0", " ")


def test_opens_one_session_however_often_it_is_pressed(saved: FlaskClient, rows: Rows) -> None:
    assert another(saved) == another(saved) == another(saved, "/signup")

    assert len(rows(CheckoutSession)) == 2


def test_a_used_link_offers_it(app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    path = make_link(app, make_customer(app))
    form = Page.of(client.get(path)).one("form", action=path)
    simulator.save_card(session_of(press(client, form)))
    look(client)

    done = Page.of(client.get(path))
    answer = press(client, done.one("form", action=path), another="1")
    simulator.save_card(session_of(answer), MASTERCARD)

    assert "Use another card" in done.one("form", action=path).text
    assert "Mastercard •••• 4444" in look(client).text.replace("\xa0", " ")
    assert len(rows(Payer)) == len(simulator.store.customers) == 1


def test_says_that_nothing_has_changed_while_it_is_unfinished(saved: FlaskClient) -> None:
    another(saved)

    page = look(saved)

    assert page.h1 == "Your payment method is saved"
    assert "You haven\u2019t finished adding another payment method" in page.text
    assert "Visa •••• 4242 is still your default." in page.text.replace("\xa0", " ")


def test_reports_a_decline_and_what_to_do(saved: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(another(saved), DECLINED)

    page = look(saved)

    assert page.h1 == "Your payment method is saved"
    assert "The other payment method wasn\u2019t accepted" in page.text
    assert "Your bank can tell you why" in page.text
    assert "is still your default" in page.text


def test_the_same_card_again_replaces_nothing(saved: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(another(saved))

    text = look(saved).text

    assert "You saved the same card again" in text
    assert "replaces" not in text


def test_sign_up_shows_who_is_set_up(saved: FlaskClient, rows: Rows) -> None:
    page = Page.of(saved.get("/signup"))

    assert page.h1.endswith("already set up")
    assert rows(Customer)[0].name in page.text
    assert "4242" in page.text
    assert not page.all("form", action="/signup")
    blank = Page.of(saved.get("/signup?new=1"))
    assert blank.value("name") == ""
    assert any(link["href"] == "/signup?new=1" for link in page.one("main").all("a"))


def test_sign_up_names_no_customer_that_is_gone_or_opened_a_link(
    app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    theirs = make_customer(app, name="Guest & Co", key="guest", subject_keys=("guest",))
    go_to_stripe(saved, make_link(app, theirs))
    for name in ("Gone & Co", "Here & Co"):
        simulator.save_card(sign_up(saved, name=name, key=name, subject_keys=[name]))
        saved.get("/return")
    with app.app_context():
        gone = sa.update(Customer).where(Customer.name == "Gone & Co").values(deleted_at=utcnow())
        db.session().execute(gone)
        db.session().commit()

    text = Page.of(saved.get("/signup")).text

    assert [name in text for name in ("Here & Co", "Ada Lovelace Ltd")] == [True, True]
    assert [name in text for name in ("Gone & Co", "Guest & Co")] == [False, False]


def test_sign_up_in_another_browser_shows_nobody(app: Flask, saved: FlaskClient) -> None:
    page = Page.of(app.test_client().get("/signup"))

    assert page.h1 == "Your details"
    assert "4242" not in page.text


class TestThatKeepsTheFirst:
    """With the policy `keep`, another card is saved, and the first stays the default."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, payment_method_policy="keep")

    def test_says_which_one_is_the_default(self, saved: FlaskClient, simulator: Simulator) -> None:
        simulator.save_card(another(saved), MASTERCARD)

        text = look(saved).text.replace("\xa0", " ")

        assert "Visa •••• 4242 is still your default. Mastercard •••• 4444 is saved too." in text
        assert "replaces" not in text
