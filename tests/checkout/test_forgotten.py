"""A Stripe customer that was made and never recorded is found again, however late the next call comes.

The process is killed in between, and Stripe forgets an idempotency key after a day.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.customers import Customer
from app.payers import Payer
from app.simulator import Simulator
from tests.support.links import LinkPage, bind_newest, make_customer, make_link
from tests.support.portal import SignupPage, session_of
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program
from tests.support.world import World

SESSIONS = "/api/v1/stripe/checkout/sessions"
ACME = {"name": "ACME, Inc.", "key": "acme", "usageAttribution": {"subjectKeys": ["meter-1"]}}
MAKE = "POST /v1/customers"
OPEN = "POST /v1/checkout/sessions"
LATER = timedelta(hours=26)


class Killed(BaseException):
    """The process is no more."""


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    return program(app)


@pytest.fixture
def killed(calls: StripeCalls) -> Callable[[Callable[[], object]], None]:
    """Do something, and be killed when Stripe has made the customer."""

    def do(action: Callable[[], object]) -> None:
        def die() -> None:
            raise Killed

        calls.after(MAKE, die)
        with pytest.raises(Killed):
            action()
        calls.clear()

    return do


def ask(api: FlaskClient, customer: Any = ACME, key: str | None = None, **more: str) -> TestResponse:
    """A program asks for a page."""
    body = {"customer": customer, "options": {"successURL": "https://example.com/", "currency": "USD"}}
    return api.post(SESSIONS, json=body | more, headers={"Idempotency-Key": key} if key else {})


def assert_one(rows: Rows, simulator: Simulator, others: int = 0) -> None:
    [payer] = rows(Payer)
    assert payer.stripe_customer_id in simulator.store.customers
    assert len(simulator.store.customers) == 1 + others
    marks = simulator.store.customers[payer.stripe_customer_id]["metadata"]
    assert marks["om_customer_id"] == payer.customer_id


@pytest.mark.parametrize("corrected", [{}, {"name": "Babbage & Co", "email": "countess@example.com"}])
def test_by_a_person_who_signs_up_again(
    client: FlaskClient,
    world: World,
    rows: Rows,
    clock: time_machine.Traveller,
    killed: Any,
    corrected: dict[str, str],
) -> None:
    simulator = world.simulator
    killed(SignupPage(client).submit)
    assert [payer.stripe_customer_id for payer in rows(Payer)] == [None]
    clock.shift(LATER / 2)
    client.get("/signup")  # a browser that looks in now and then is still known
    clock.shift(LATER / 2)

    opened = session_of(SignupPage(client).submit(**corrected))  # the form that the page shows now
    world.settle()

    assert_one(rows, simulator)
    page = simulator.store.checkout_sessions[opened]
    stripe_customer = simulator.store.customers[page["customer"]]
    [customer] = rows(Customer)
    assert (stripe_customer["name"], stripe_customer["email"]) == (customer.name, customer.primary_email)
    assert corrected.items() <= stripe_customer.items()


@pytest.mark.parametrize("key", [None, "order-1"])
def test_by_a_program_that_asks_again(
    api: FlaskClient,
    simulator: Simulator,
    rows: Rows,
    clock: time_machine.Traveller,
    killed: Any,
    key: str | None,
) -> None:
    killed(lambda: ask(api, key=key))
    clock.shift(LATER)

    answer = ask(api, key=key)

    assert answer.status_code == 201
    assert_one(rows, simulator)


def test_by_a_person_who_opens_its_link_again(
    app: Flask,
    client: FlaskClient,
    simulator: Simulator,
    rows: Rows,
    clock: time_machine.Traveller,
    killed: Any,
) -> None:
    path = make_link(app, make_customer(app))
    killed(LinkPage(client, path).press)
    clock.shift(LATER)

    assert LinkPage(app.test_client(), path).press().status_code == 303

    assert_one(rows, simulator)


def test_however_often_it_is_tried_in_vain(
    api: FlaskClient, simulator: Simulator, rows: Rows, clock: time_machine.Traveller, killed: Any
) -> None:
    killed(lambda: ask(api))
    simulator.faults.add("503", OPEN, times=500)
    for _ in range(5):
        clock.shift(timedelta(hours=15))
        assert ask(api).status_code == 412
    simulator.faults.clear()

    assert ask(api).status_code == 201

    assert_one(rows, simulator)


def test_that_only_the_last_of_several_tries_has_made(
    api: FlaskClient, simulator: Simulator, rows: Rows, clock: time_machine.Traveller, killed: Any
) -> None:
    simulator.faults.add("reset", MAKE, times=50)
    assert ask(api).status_code == 412
    simulator.faults.clear()
    clock.shift(timedelta(hours=10))
    killed(lambda: ask(api))
    clock.shift(LATER)

    assert ask(api).status_code == 201

    assert_one(rows, simulator)


@pytest.mark.parametrize("ahead", [-300, 300])
def test_though_stripes_clock_is_another(
    api: FlaskClient,
    simulator: Simulator,
    rows: Rows,
    clock: time_machine.Traveller,
    killed: Any,
    ahead: int,
) -> None:
    simulator.clock.ahead = ahead
    killed(lambda: ask(api))
    clock.shift(LATER)

    assert ask(api).status_code == 201

    assert_one(rows, simulator)


def test_among_those_made_since_then(
    api: FlaskClient,
    world: World,
    rows: Rows,
    clock: time_machine.Traveller,
    calls: StripeCalls,
    killed: Any,
) -> None:
    killed(lambda: ask(api))
    clock.shift(LATER)
    for _ in range(150):
        world.stripe("POST", "/v1/customers")
    calls.clear()

    ask(api)

    assert_one(rows, world.simulator, others=150)
    assert calls.made == ["GET /v1/customers", "GET /v1/customers", OPEN]  # a hundred in each


def test_among_many_that_were_made_at_that_time(
    api: FlaskClient, world: World, rows: Rows, clock: time_machine.Traveller, killed: Any
) -> None:
    killed(lambda: ask(api))
    [expected] = world.simulator.store.customers
    for _ in range(150):
        world.stripe("POST", "/v1/customers")
    clock.shift(LATER)

    ask(api)

    assert [payer.stripe_customer_id for payer in rows(Payer)] == [expected]


def test_is_not_looked_for_while_stripe_remembers_the_key(
    api: FlaskClient,
    simulator: Simulator,
    rows: Rows,
    clock: time_machine.Traveller,
    calls: StripeCalls,
    killed: Any,
) -> None:
    killed(lambda: ask(api))
    clock.shift(timedelta(hours=19))

    ask(api)

    assert calls.made == [MAKE, OPEN]
    assert_one(rows, simulator)


def test_is_not_looked_for_where_none_was_asked_for(
    app: Flask, api: FlaskClient, clock: time_machine.Traveller, calls: StripeCalls
) -> None:
    known = {"id": make_customer(app)}
    clock.shift(timedelta(days=9))

    ask(api, known)

    assert calls.made == [MAKE, OPEN]


def test_another_is_made_where_stripe_has_made_none(
    api: FlaskClient,
    world: World,
    rows: Rows,
    clock: time_machine.Traveller,
    calls: StripeCalls,
) -> None:
    simulator = world.simulator
    for _ in range(150):
        world.stripe("POST", "/v1/customers")
    clock.shift(LATER)
    simulator.faults.add("reset", MAKE, times=50)
    assert ask(api).status_code == 412
    simulator.faults.clear()
    clock.shift(LATER)
    calls.clear()

    assert ask(api).status_code == 201

    assert calls.made == ["GET /v1/customers", MAKE, OPEN]
    assert len(rows(Payer)) == 1
    assert len(simulator.store.customers) == 151


def test_is_found_after_a_first_request_that_took_no_effect(
    api: FlaskClient,
    simulator: Simulator,
    rows: Rows,
    clock: time_machine.Traveller,
    calls: StripeCalls,
    killed: Any,
) -> None:
    simulator.faults.add("reset", MAKE, times=50)
    assert ask(api).status_code == 412
    simulator.faults.clear()
    clock.shift(LATER)
    killed(lambda: ask(api))
    simulator.faults.add("503", OPEN, times=50)
    assert ask(api).status_code == 412
    simulator.faults.clear()
    clock.shift(LATER)

    assert ask(api).status_code == 201

    assert_one(rows, simulator)


def test_another_is_made_where_it_was_deleted_at_stripe(
    api: FlaskClient, simulator: Simulator, rows: Rows, clock: time_machine.Traveller, killed: Any
) -> None:
    killed(lambda: ask(api))
    [deleted] = simulator.store.customers
    simulator.delete_customer(deleted)
    clock.shift(LATER)

    assert ask(api).status_code == 201

    [payer] = rows(Payer)
    assert payer.stripe_customer_id != deleted


def test_another_is_made_where_it_stands_for_somebody_else(
    app: Flask,
    api: FlaskClient,
    simulator: Simulator,
    rows: Rows,
    clock: time_machine.Traveller,
    killed: Any,
) -> None:
    killed(lambda: ask(api))
    [given_away] = simulator.store.customers
    other = make_customer(app, key="other", subject_keys=("other",))
    bind_newest(app, simulator, other)
    clock.shift(LATER)

    answer = ask(api)

    assert answer.status_code == 201
    assert {payer.customer_id: payer.stripe_customer_id for payer in rows(Payer)} == {
        other: given_away,
        answer.get_json()["customerId"]: answer.get_json()["stripeCustomerId"],
    }
    assert simulator.store.customers[given_away]["name"] == "ACME, Inc."


def test_the_form_sent_again_at_once_finds_it(
    client: FlaskClient, simulator: Simulator, rows: Rows, killed: Any
) -> None:
    form = SignupPage(client)
    killed(form.submit)

    assert session_of(form.submit()) in simulator.store.checkout_sessions

    assert_one(rows, simulator)
