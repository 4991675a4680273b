"""The page for visitors who go back from Stripe's page."""

from flask import Flask
from flask.testing import FlaskClient

from app.customers import Customer
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.portal import DETAILS, resume, session_of, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program


def test_says_that_nothing_is_lost_and_leads_on(client: FlaskClient, simulator: Simulator) -> None:
    opened = simulator.store.checkout_sessions[sign_up(client)]

    answer = client.get(opened["cancel_url"].removeprefix("http://127.0.0.1:8000"))

    page = Page.of(answer)
    assert answer.status_code == 200
    assert page.h1 == "You haven\u2019t added a payment method yet"
    assert DETAILS["name"] in page.text
    assert len(page.all("form", action="/resume")) == 1
    assert page.one("main").all("a", href="/signup")


def test_leads_on_to_the_page_that_is_still_open(client: FlaskClient, calls: StripeCalls) -> None:
    first = sign_up(client)
    calls.clear()

    second = session_of(resume(client))

    assert second == first
    assert calls.made == []


def test_asks_stripe_nothing(client: FlaskClient, calls: StripeCalls) -> None:
    sign_up(client)
    calls.clear()

    client.get("/cancelled")

    assert calls.made == []


def test_tells_a_stranger_nothing(app: Flask, client: FlaskClient, simulator: Simulator) -> None:
    opened = simulator.store.checkout_sessions[sign_up(client)]

    answer = app.test_client().get(opened["cancel_url"].removeprefix("http://127.0.0.1:8000"))

    page = Page.of(answer)
    assert page.h1 == "You haven\u2019t added a payment method yet"
    assert DETAILS["name"] not in page.html
    assert DETAILS["email"] not in page.html
    assert not page.all("form")


def test_shows_nothing_of_a_customer_who_was_deleted(app: Flask, client: FlaskClient, rows: Rows) -> None:
    sign_up(client)
    program(app).delete(f"/api/v1/customers/{rows(Customer)[0].id}")

    answer = client.get("/cancelled")

    assert answer.status_code == 404
    assert Page.of(answer).h1 == "Open this page where you started"
    assert DETAILS["name"] not in answer.text


def test_answers_a_made_up_customer_as_a_stranger(client: FlaskClient) -> None:
    sign_up(client)

    page = Page.of(client.get("/cancelled?customer=nobody"))

    assert not page.all("form")


def test_leads_to_the_state_when_a_card_was_saved_meanwhile(
    client: FlaskClient, simulator: Simulator
) -> None:
    simulator.save_card(sign_up(client))
    client.get("/return")

    answer = client.get("/cancelled")

    assert answer.status_code == 303
    assert answer.location.startswith("/return")
