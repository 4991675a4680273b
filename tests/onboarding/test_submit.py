"""The sign-up form makes one customer, one Stripe customer and one page at Stripe, and leads there. Sent
again, it finds the same ones."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from app.audit import Entry
from app.checkout import CheckoutSession
from app.customers import Customer
from app.onboarding.models import Signup
from app.payers import Payer
from app.simulator import Simulator
from tests.conftest import PORTAL, STRIPE
from tests.support.browser import Page
from tests.support.portal import DETAILS, SignupPage, client_cookie, session_of, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


def test_makes_one_customer_one_stripe_customer_and_one_session(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    session_id = sign_up(client)

    [customer] = rows(Customer)
    assert customer.name == DETAILS["name"]
    assert customer.primary_email == DETAILS["email"]
    assert customer.currency == DETAILS["currency"]
    assert customer.key == DETAILS["key"]
    assert customer.subject_keys == DETAILS["subject_keys"]
    [at_stripe] = simulator.store.customers.values()
    assert (at_stripe["name"], at_stripe["email"]) == (DETAILS["name"], DETAILS["email"])
    [payer] = rows(Payer)
    assert (payer.customer_id, payer.stripe_customer_id) == (customer.id, at_stripe["id"])
    [page] = rows(CheckoutSession)
    assert page.stripe_session_id == session_id
    assert list(simulator.store.checkout_sessions) == [session_id]


def test_leads_to_the_page_that_stripe_named(client: FlaskClient, simulator: Simulator) -> None:
    answer = SignupPage(client).submit()

    [opened] = simulator.store.checkout_sessions.values()
    assert (answer.status_code, answer.location) == (303, opened["url"])
    assert answer.location.startswith(f"{STRIPE}/c/pay/")


def test_asks_stripe_for_a_page_that_saves_a_method_and_leads_back(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    sign_up(client)

    [opened] = simulator.store.checkout_sessions.values()
    [customer] = rows(Customer)
    assert (opened["mode"], opened["currency"]) == ("setup", "eur")
    assert opened["success_url"] == f"{PORTAL}/return?customer={customer.id}"
    assert opened["cancel_url"] == f"{PORTAL}/cancelled?customer={customer.id}"


def test_marks_everything_at_stripe_as_its_own(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    sign_up(client)

    [app], [customer] = rows(App), rows(Customer)
    mark = {"om_namespace": "default", "om_app_id": app.id, "om_customer_id": customer.id}
    for collection in (
        simulator.store.checkout_sessions,
        simulator.store.setup_intents,
    ):
        assert [thing["metadata"] for thing in collection.values()] == [mark]
    [payer], [at_stripe] = rows(Payer), simulator.store.customers.values()
    assert at_stripe["metadata"] == mark | {"om_payer_id": payer.id}


def test_is_in_the_audit_log(client: FlaskClient, rows: Rows) -> None:
    sign_up(client)

    told = {entry.kind: entry for entry in rows(Entry)}
    assert {"customer.created", "checkout.started"} <= set(told)
    assert told["checkout.started"].actor == "visitor"
    assert DETAILS["email"] not in str([entry.facts for entry in told.values()])


def test_twice_makes_one_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)

    first, second = form.submit(), form.submit()

    assert first.location == second.location
    assert len(rows(Customer)) == len(simulator.store.customers) == len(rows(CheckoutSession)) == 1
    assert len(calls.made) == 2


def test_again_after_coming_back_makes_one_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    first = SignupPage(client).submit()

    second = SignupPage(client).submit()

    assert first.location == second.location
    assert len(rows(Customer)) == len(simulator.store.customers) == 1


def test_with_corrected_details_corrects_the_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    first = form.submit()

    second = form.submit(
        name="Babbage & Co", email="charles@example.com", key="", subject_keys=["engine-2", "mill"]
    )

    assert first.location == second.location
    [customer] = rows(Customer)
    assert (customer.name, customer.primary_email, customer.key) == (
        "Babbage & Co",
        "charles@example.com",
        None,
    )
    assert customer.subject_keys == ["engine-2", "mill"]
    [at_stripe] = simulator.store.customers.values()
    assert (at_stripe["name"], at_stripe["email"]) == ("Babbage & Co", "charles@example.com")


def test_in_another_currency_opens_another_page(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    first = session_of(form.submit(currency="EUR"))

    second = session_of(form.submit(currency="JPY"))

    sessions = simulator.store.checkout_sessions
    assert (sessions[first]["status"], sessions[second]["status"]) == ("expired", "open")
    assert sessions[second]["currency"] == "jpy"
    assert [customer.currency for customer in rows(Customer)] == ["JPY"]
    assert len(simulator.store.customers) == 1


def test_in_another_currency_and_back_opens_a_third_page(client: FlaskClient, simulator: Simulator) -> None:
    form = SignupPage(client)

    opened = [session_of(form.submit(currency=currency)) for currency in ("EUR", "JPY", "EUR")]

    assert len(set(opened)) == 3
    assert simulator.store.checkout_sessions[opened[2]]["status"] == "open"


def test_in_a_second_tab_finds_the_same_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    one, other = SignupPage(client), SignupPage(client)
    assert one.page.value("nonce") != other.page.value("nonce")

    first, second = one.submit(), other.submit()

    assert first.location == second.location
    assert len(rows(Customer)) == len(rows(Signup)) == len(simulator.store.customers) == 1


def test_in_ten_tabs_at_once_makes_one_customer(
    client: FlaskClient, app: Flask, simulator: Simulator, rows: Rows
) -> None:
    tabs = [SignupPage(client).fields() for _ in range(10)]
    cookie = client_cookie(client)
    together = Barrier(len(tabs))

    def send(fields: dict[str, Any]) -> str:
        tab = app.test_client()
        tab.set_cookie("gangway", cookie, domain="localhost")
        together.wait()
        return session_of(tab.post("/signup", data=fields))

    with ThreadPoolExecutor(len(tabs)) as crowd:
        opened = set(crowd.map(send, tabs))

    assert len(opened) == len(simulator.store.customers) == len(simulator.store.checkout_sessions) == 1
    assert len(rows(Customer)) == len(rows(Signup)) == len(rows(CheckoutSession)) == 1


def test_for_another_company_under_a_name_of_the_first_changes_nothing(
    client: FlaskClient, rows: Rows
) -> None:
    one, other = SignupPage(client), SignupPage(client)
    one.submit()
    [before] = rows(Customer)

    answer = other.submit(name="Babbage & Co", subject_keys=["engine-2", "mill"], key="")

    assert answer.status_code == 422
    [customer] = rows(Customer)
    assert (customer.name, customer.subject_keys) == (before.name, before.subject_keys)


def test_in_a_second_tab_with_other_names_makes_another_customer(client: FlaskClient, rows: Rows) -> None:
    one, other = SignupPage(client), SignupPage(client)

    one.submit()
    other.submit(key="ada-2", subject_keys=["mill"])

    assert sorted(customer.key for customer in rows(Customer)) == ["ada-1", "ada-2"]


def test_after_a_card_was_saved_shows_the_card(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    form = SignupPage(client)
    simulator.save_card(session_of(form.submit()))
    client.get("/return")

    answer = form.submit()

    assert answer.status_code == 303
    assert answer.location == f"/return?customer={rows(Customer)[0].id}"
    assert "4242" in Page.of(client.get(answer.location)).text


def test_in_a_second_tab_after_a_card_was_saved_shows_the_card(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    one, other = SignupPage(client), SignupPage(client)
    simulator.save_card(session_of(one.submit()))
    client.get("/return")

    answer = other.submit()

    assert answer.location == f"/return?customer={rows(Customer)[0].id}"


def test_without_an_installed_app_keeps_the_details(bare_app: Flask) -> None:
    client = bare_app.test_client()

    answer = SignupPage(client).submit()

    assert "Your details are saved" in Page.of(client.get(answer.location)).text
