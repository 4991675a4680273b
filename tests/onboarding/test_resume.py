"""A customer continues on the open Stripe page, or on a new one when that has expired."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import payers
from app.checkout import CheckoutSession
from app.core import db
from app.core.config import Settings
from app.core.db import utcnow
from app.customers import Customer
from app.payers import Payer
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.portal import SignupPage, resume, session_of, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program


def test_reuses_an_open_page(client: FlaskClient, rows: Rows) -> None:
    first = sign_up(client)

    answer = resume(client)

    assert session_of(answer) == first
    assert answer.location == rows(CheckoutSession)[0].url


def test_makes_sure_that_an_older_page_is_still_open(
    client: FlaskClient, simulator: Simulator, calls: StripeCalls
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        first = sign_up(client)
        clock.shift(timedelta(minutes=5))
        calls.clear()

        second = session_of(resume(client))

        assert second == first
        assert calls.made == [f"GET /v1/checkout/sessions/{first}"]


def test_opens_one_new_page_after_the_old_one_expired(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    first = sign_up(client)
    simulator.expire_session(first)
    client.get("/return")

    second, third = session_of(resume(client)), session_of(resume(client))

    assert second == third != first
    assert simulator.store.checkout_sessions[second]["status"] == "open"
    assert len(rows(CheckoutSession)) == 2
    assert len(rows(Customer)) == len(simulator.store.customers) == 1


def test_opens_a_new_page_for_whoever_was_unbound_from_the_app(
    client: FlaskClient, simulator: Simulator, rows: Rows, app: Flask
) -> None:
    first = sign_up(client)
    simulator.save_card(first)
    client.get("/return")
    with app.app_context():
        session = db.session()
        [payer] = session.query(Payer).all()
        payers.unbind(session, payer.app_id, payer.customer, actor="test")
        session.commit()

    second = session_of(resume(client))

    assert second != first
    assert simulator.store.checkout_sessions[second]["status"] == "open"
    [page] = [page for page in rows(CheckoutSession) if page.stripe_session_id == second]
    [now] = [payer for payer in rows(Payer) if payer.deleted_at is None]
    assert page.payer_id == now.id
    assert now.due_at is not None


@pytest.mark.parametrize("another", [{}, {"another": "1"}])
def test_tells_a_customer_who_was_deleted_as_little_as_a_stranger(
    another: dict[str, str], app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    sign_up(client)
    customer_id = rows(Customer)[0].id
    form = Page.of(client.get("/cancelled")).one("form", action="/resume")
    program(app).delete(f"/api/v1/customers/{customer_id}")
    calls.clear()

    fields = {element["name"]: element.get("value") for element in form.all("input")}
    answer = client.post("/resume", data=fields | another)

    assert answer.status_code == 404
    assert Page.of(answer).h1 == "Open this page where you started"
    assert customer_id not in answer.text
    assert calls.made == []


def test_opens_a_new_page_when_the_old_one_expired_unnoticed(
    client: FlaskClient, simulator: Simulator
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        first = sign_up(client)
        clock.shift(timedelta(minutes=5))
        simulator.expire_session(first)

        second = session_of(resume(client))

        assert second != first
        assert simulator.store.checkout_sessions[second]["status"] == "open"


def test_opens_a_new_page_when_the_old_one_is_over_and_stripe_does_not_say_so(
    client: FlaskClient, simulator: Simulator
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        first = sign_up(client)
        clock.shift(timedelta(hours=25))
        simulator.faults.add("503", "GET /v1/checkout/sessions/*", times=50)

        second = session_of(resume(client))

        assert second != first


def test_opens_a_new_page_when_stripe_has_forgotten_the_old_one(
    client: FlaskClient, simulator: Simulator
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        first = sign_up(client)
        del simulator.store.checkout_sessions[first]
        clock.shift(timedelta(minutes=5))

        second = session_of(resume(client))

        assert list(simulator.store.checkout_sessions) == [second]


def test_opens_one_new_page_however_many_ask_at_once(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.expire_session(sign_up(client))
    page = Page.of(client.get("/return"))
    fields = {field["name"]: field.get("value") for field in page.one("form", action="/resume").all("input")}
    cookie = client.get_cookie("gangway")
    assert cookie is not None

    def go_on(_number: int) -> str:
        browser = app.test_client()
        browser.set_cookie("gangway", cookie.value, domain="localhost")
        return session_of(browser.post("/resume", data=fields))

    with ThreadPoolExecutor(20) as crowd:
        opened = set(crowd.map(go_on, range(20)))

    assert len(opened) == 1
    assert len(rows(CheckoutSession)) == len(simulator.store.checkout_sessions) == 2


def test_shows_the_card_when_one_is_saved_already(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    session_id = sign_up(client)
    page = Page.of(client.get("/return"))
    simulator.save_card(session_id)
    client.get("/return")
    fields = {field["name"]: field.get("value") for field in page.one("form", action="/resume").all("input")}

    answer = client.post("/resume", data=fields)

    assert answer.status_code == 303
    assert answer.location == f"/return?customer={rows(Customer)[0].id}"
    assert len(simulator.store.checkout_sessions) == 1


def test_shows_the_state_while_micro_deposits_are_on_their_way(
    client: FlaskClient, simulator: Simulator
) -> None:
    session_id = sign_up(client, currency="USD")
    page = Page.of(client.get("/return"))
    simulator.pay_by_bank(session_id, verify="later")
    client.get("/return")
    fields = {field["name"]: field.get("value") for field in page.one("form", action="/resume").all("input")}

    answer = client.post("/resume", data=fields)

    assert answer.location.startswith("/return")
    assert len(simulator.store.checkout_sessions) == 1


def test_opens_a_new_page_after_micro_deposits_failed(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client, currency="USD")
    simulator.pay_by_bank(session_id, verify="later")
    client.get("/return")
    simulator.verify_microdeposits(session_id, ok=False)
    client.get("/return")

    second = session_of(resume(client, "/return"))

    assert simulator.store.checkout_sessions[second]["status"] == "open"


def test_starts_again_when_stripe_no_longer_has_the_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.expire_session(sign_up(client))
        client.get("/return")
        [gone] = rows(Payer)
        simulator.delete_customer(gone.stripe_customer_id)
        clock.shift(timedelta(minutes=2))

        opened = simulator.store.checkout_sessions[session_of(resume(client))]

        assert opened["status"] == "open"
        assert opened["customer"] != gone.stripe_customer_id
        [live] = [payer for payer in rows(Payer) if payer.deleted_at is None]
        assert live.stripe_customer_id == opened["customer"]


def test_continues_with_the_customer_whose_page_it_is(client: FlaskClient, simulator: Simulator) -> None:
    first = sign_up(client)
    opened = simulator.store.checkout_sessions[first]
    second = SignupPage(client, "/signup?new=1").submit(key="second", subject_keys=["second"])

    answer = resume(client, opened["cancel_url"].removeprefix("http://127.0.0.1:8000"))

    assert session_of(second) != session_of(answer) == first


def test_is_refused_to_a_stranger(app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls) -> None:
    sign_up(client)
    stranger = app.test_client()
    page = Page.of(stranger.get("/signup"))
    calls.clear()

    answer = stranger.post(
        "/resume", data={"csrf_token": page.value("csrf_token"), "customer": rows(Customer)[0].id}
    )

    assert answer.status_code == 404
    assert "Lovelace" not in Page.of(answer).html
    assert calls.made == []


def test_is_refused_without_its_token(client: FlaskClient, rows: Rows, calls: StripeCalls) -> None:
    sign_up(client)
    calls.clear()

    answer = client.post("/resume", data={"customer": rows(Customer)[0].id})

    assert answer.status_code == 400
    Page.of(answer)
    assert calls.made == []


class TestWithABudget:
    """Going on is counted by address."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_return="2 per hour")

    def test_ends_with_a_page_that_says_so(self, client: FlaskClient) -> None:
        sign_up(client)

        answers = [resume(client) for _ in range(3)]

        assert [answer.status_code for answer in answers] == [303, 303, 429]
        Page.of(answers[2])
