"""A sign-up with a key or subject that somebody else has is refused, and learns nothing about the other
customer."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.checkout import CheckoutSession
from app.customers import Customer
from app.onboarding.models import Signup
from app.payers import Payer
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.links import bind_newest, make_customer
from tests.support.portal import DETAILS, SignupPage, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile, program

TAKEN = "can’t be used for a new sign-up"


@pytest.mark.parametrize(
    "details",
    [
        {"key": "ada-1", "subject_keys": ["free"]},  # the same reference
        {"key": "free", "subject_keys": ["free", "engine-1"]},  # the same subject key
        {"key": "engine-2", "subject_keys": ["free"]},  # a reference that is somebody's subject key
        {"key": "ada-1", "subject_keys": ["engine-1", "engine-2"], "email": "ada@example.com"},  # all of it
    ],
)
def test_by_a_stranger_with_taken_names_tells_nothing(
    app: Flask,
    client: FlaskClient,
    rows: Rows,
    calls: StripeCalls,
    details: dict[str, str],
) -> None:
    sign_up(client)
    calls.clear()
    form = SignupPage(app.test_client())

    answer = form.submit(**({"name": "Mallory", "email": "m@example.com"} | details))

    assert answer.status_code == 422
    assert TAKEN in form.page.errors("subject_keys")[0]
    assert "help@example.com" in form.page.text
    assert "Lovelace" not in form.page.html
    assert form.page.value("name") == "Mallory"
    assert len(rows(Customer)) == 1
    assert calls.made == []


def test_by_a_stranger_with_an_id_for_a_reference_is_refused(
    app: Flask, client: FlaskClient, rows: Rows
) -> None:
    sign_up(client)
    form = SignupPage(app.test_client())

    answer = form.submit(key=rows(Customer)[0].id, subject_keys=["free"])

    assert answer.status_code == 422
    assert TAKEN in form.page.text


def test_with_the_form_of_another_browser_makes_a_customer_of_its_own_at_most(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    form.submit()
    stranger = SignupPage(app.test_client())
    calls.clear()

    answer = stranger.submit(nonce=form.page.value("nonce"), name="Mallory", key="m", subject_keys=["m"])

    assert answer.status_code == 422
    assert "send it again" in stranger.page.text
    assert stranger.page.value("name") == "Mallory"
    assert [customer.name for customer in rows(Customer)] == [DETAILS["name"]]
    assert calls.made == []
    assert stranger.submit(nonce=stranger.page.value("nonce"), key="m", subject_keys=["m"]).status_code == 303
    assert len(rows(Customer)) == 2


def test_of_a_deleted_customer_makes_another_at_the_second_try(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    form.submit()
    program(app).delete(f"/api/v1/customers/{rows(Customer)[0].id}")
    calls.clear()

    first = form.submit(name="Babbage & Co")

    assert first.status_code == 422
    assert "send it again" in form.page.text
    assert form.page.value("name") == "Babbage & Co"
    assert calls.made == []
    assert form.submit(name="Babbage & Co").status_code == 303
    assert sorted(customer.name for customer in rows(Customer)) == [DETAILS["name"], "Babbage & Co"]


def test_of_a_customer_deleted_while_a_correction_was_on_its_way_leads_nowhere(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    form.submit()
    customer_id = rows(Customer)[0].id
    calls.after("POST /v1/customers/*", meanwhile(app, "DELETE", f"/api/v1/customers/{customer_id}"))

    answer = form.submit(name="Too late")

    assert answer.status_code == 422
    assert [customer.deleted_at is None for customer in rows(Customer)] == [False]


@pytest.mark.parametrize("details", [{}, {"key": "b", "subject_keys": ["b"]}])
def test_with_one_form_in_two_browsers_at_once_makes_a_customer_of_one(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls, details: dict[str, Any]
) -> None:
    form = SignupPage(client)
    other = SignupPage(app.test_client())
    nonce = form.page.value("nonce")
    in_thread = ThreadPoolExecutor(1)
    late = []
    calls.after(
        "POST /v1/checkout/sessions",
        lambda: late.append(in_thread.submit(other.submit, nonce=nonce).result()),
    )

    answer = form.submit(**details)

    in_thread.shutdown()
    assert (answer.status_code, late[0].status_code) == (303, 422)
    assert "send it again" in other.page.text
    assert len(rows(Signup)) == len(rows(Customer)) == 1


def test_leaves_its_stripe_customer_to_another_who_was_given_it(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    other = make_customer(app, key="other", subject_keys=("other",))
    calls.after("POST /v1/customers", lambda: bind_newest(app, simulator, other))

    opened = sign_up(client)

    given_away, own = simulator.store.customers
    assert simulator.store.checkout_sessions[opened]["customer"] == own
    assert {payer.stripe_customer_id for payer in rows(Payer) if payer.customer_id == other} == {given_away}


def test_asks_to_be_sent_again_when_another_is_given_each_of_its_stripe_customers(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    other = make_customer(app, key="other", subject_keys=("other",))

    def give_away() -> None:
        bind_newest(app, simulator, other)
        calls.after("POST /v1/customers", give_away)

    calls.after("POST /v1/customers", give_away)

    answer = form.submit()

    assert answer.status_code == 409
    assert "send it again" in Page.of(answer).text
    assert len(rows(Customer)) == 2


def test_correction_to_taken_names_changes_nothing(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    sign_up(app.test_client(), key="other", subject_keys=["taken"])
    form = SignupPage(client)
    form.submit()
    calls.clear()

    answer = form.submit(name="New name", subject_keys=["engine-1", "taken"])

    assert answer.status_code == 422
    assert TAKEN in form.page.text
    assert {customer.name for customer in rows(Customer)} == {DETAILS["name"]}
    assert calls.made == []


def test_names_are_held_while_stripe_is_asked(
    app: Flask, client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    other = SignupPage(app.test_client())
    in_thread = ThreadPoolExecutor(1)
    late = []
    calls.after("POST /v1/checkout/sessions", lambda: late.append(in_thread.submit(other.submit).result()))

    answer = form.submit(name="In time")

    in_thread.shutdown()
    assert answer.status_code == 303
    assert [refused.status_code for refused in late] == [422]
    assert TAKEN in other.page.text
    assert [customer.name for customer in rows(Customer)] == ["In time"]
    assert len(rows(Payer)) == len(rows(CheckoutSession)) == len(rows(Signup)) == 1
