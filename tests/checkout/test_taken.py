"""A customer gets a new Stripe customer when the first was unbound, given to another or deleted.

No checkout session ever opens for the Stripe customer of somebody else, whatever happens between the calls.
"""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.apps import App
from app.checkout import CheckoutSession, actions
from app.payers import Payer
from app.simulator import Simulator
from tests.support.links import bind_newest, make_customer
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile, program
from tests.support.world import World

SESSIONS = "/api/v1/stripe/checkout/sessions"
CUSTOMERS = "/api/v1/customers"
MAKE = "POST /v1/customers"
OPEN = "POST /v1/checkout/sessions"


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    return program(app)


@pytest.fixture
def ada(app: Flask) -> str:
    return make_customer(app)


@pytest.fixture
def other(app: Flask) -> str:
    return make_customer(app, key="other", subject_keys=("other",))


def ask(api: FlaskClient, customer_id: str) -> TestResponse:
    """A program opens a checkout session for a customer."""
    options = {"successURL": "https://example.com/", "currency": "USD"}
    return api.post(SESSIONS, json={"customer": {"id": customer_id}, "options": options})


def stripe_customer_of(api: FlaskClient, customer_id: str) -> str:
    """Open a checkout session, and return the Stripe customer that it is for."""
    answer = ask(api, customer_id)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["stripeCustomerId"])


def unbind(api: FlaskClient, rows: Rows, customer_id: str) -> None:
    [installed] = rows(App)
    assert api.delete(f"{CUSTOMERS}/{customer_id}/apps/{installed.id}").status_code == 204


def bind(api: FlaskClient, customer_id: str, stripe_customer_id: str) -> None:
    answer = api.put(f"{CUSTOMERS}/{customer_id}/stripe", json={"stripeCustomerId": stripe_customer_id})
    assert answer.status_code == 200


def rename(api: FlaskClient, customer_id: str) -> None:
    body = {"name": "Another name", "key": "acme", "usageAttribution": {"subjectKeys": ["meter-1"]}}
    assert api.put(f"{CUSTOMERS}/{customer_id}", json=body).status_code == 200


def always(happen: Callable[..., None], route: str, action: Callable[[], object]) -> None:
    """Do something at every call of a route."""

    def again() -> None:
        happen(route, again)
        action()

    happen(route, again)


def linked(rows: Rows) -> dict[str, str]:
    """Return the Stripe customer of each customer that has one."""
    return {row.customer_id: row.stripe_customer_id for row in rows(Payer) if row.deleted_at is None}


@pytest.mark.parametrize("is_renamed", [False, True])
def test_makes_a_new_one_when_the_former_was_linked_to_another(
    api: FlaskClient, simulator: Simulator, rows: Rows, ada: str, other: str, *, is_renamed: bool
) -> None:
    former = stripe_customer_of(api, ada)
    name = simulator.store.customers[former]["name"]
    unbind(api, rows, ada)
    bind(api, other, former)
    if is_renamed:
        rename(api, ada)

    new = stripe_customer_of(api, ada)

    assert linked(rows) == {ada: new, other: former}
    assert simulator.store.customers[former]["name"] == name
    opened = [row["customer"] for row in simulator.store.checkout_sessions.values()]
    assert opened == [former, new]
    assert stripe_customer_of(api, ada) == new


def test_makes_a_new_one_when_the_former_was_unlinked(
    api: FlaskClient, simulator: Simulator, rows: Rows, ada: str
) -> None:
    former = stripe_customer_of(api, ada)
    unbind(api, rows, ada)

    new = stripe_customer_of(api, ada)

    assert linked(rows) == {ada: new}
    assert list(simulator.store.customers) == [former, new]


def test_makes_another_each_time_one_is_unlinked(
    api: FlaskClient, simulator: Simulator, rows: Rows, ada: str
) -> None:
    first = stripe_customer_of(api, ada)
    unbind(api, rows, ada)
    rename(api, ada)
    second = stripe_customer_of(api, ada)
    unbind(api, rows, ada)

    third = stripe_customer_of(api, ada)

    assert list(simulator.store.customers) == [first, second, third]


def test_continues_with_the_new_one_after_a_failure(
    api: FlaskClient, simulator: Simulator, rows: Rows, ada: str, other: str
) -> None:
    former = stripe_customer_of(api, ada)
    unbind(api, rows, ada)
    bind(api, other, former)
    simulator.faults.add("503", OPEN, times=50)
    assert ask(api, ada).status_code == 412
    simulator.faults.clear()

    new = stripe_customer_of(api, ada)

    assert list(simulator.store.customers) == [former, new]


@pytest.mark.parametrize("fault", ["reset", "503"])
def test_makes_one_new_one_though_the_connection_is_cut(
    api: FlaskClient, simulator: Simulator, rows: Rows, ada: str, other: str, fault: str
) -> None:
    former = stripe_customer_of(api, ada)
    unbind(api, rows, ada)
    bind(api, other, former)
    simulator.faults.add(fault, MAKE)

    new = stripe_customer_of(api, ada)

    assert linked(rows) == {ada: new, other: former}


def test_keeps_the_former_one_when_it_was_linked_again(
    api: FlaskClient, simulator: Simulator, rows: Rows, ada: str
) -> None:
    former = stripe_customer_of(api, ada)
    unbind(api, rows, ada)
    bind(api, ada, former)

    assert stripe_customer_of(api, ada) == former

    assert linked(rows) == {ada: former}
    assert list(simulator.store.customers) == [former]


def test_leaves_one_to_another_who_got_it_as_soon_as_it_was_made(
    app: Flask, api: FlaskClient, simulator: Simulator, rows: Rows, ada: str, other: str, calls: StripeCalls
) -> None:
    calls.after(MAKE, lambda: bind_newest(app, simulator, other))

    new = stripe_customer_of(api, ada)

    given_away, own = simulator.store.customers
    assert linked(rows) == {ada: own, other: given_away}
    assert [row["customer"] for row in simulator.store.checkout_sessions.values()] == [own] == [new]


def test_never_takes_one_that_was_ever_linked_to_another(
    app: Flask, api: FlaskClient, simulator: Simulator, rows: Rows, ada: str, other: str, calls: StripeCalls
) -> None:
    [installed] = rows(App)

    def lend() -> None:
        bind_newest(app, simulator, other)
        meanwhile(app, "DELETE", f"{CUSTOMERS}/{other}/apps/{installed.id}")()

    calls.after(MAKE, lend)

    new = stripe_customer_of(api, ada)

    assert list(simulator.store.customers)[1:] == [new]
    assert linked(rows) == {ada: new}


def test_opens_the_session_for_one_that_was_linked_meanwhile(
    app: Flask, api: FlaskClient, world: World, rows: Rows, ada: str, calls: StripeCalls
) -> None:
    existing = world.stripe("POST", "/v1/customers")["id"]
    body = {"stripeCustomerId": existing}
    calls.after(OPEN, meanwhile(app, "PUT", f"{CUSTOMERS}/{ada}/stripe", body))

    assert stripe_customer_of(api, ada) == existing

    assert linked(rows) == {ada: existing}


def test_gives_up_when_another_gets_each_as_soon_as_it_is_made(
    app: Flask, api: FlaskClient, simulator: Simulator, rows: Rows, ada: str, other: str, calls: StripeCalls
) -> None:
    always(calls.after, MAKE, lambda: bind_newest(app, simulator, other))

    answer = ask(api, ada)

    assert answer.status_code == 409
    assert len(simulator.store.checkout_sessions) == 0
    assert {owner for owner, stripe_id in linked(rows).items() if stripe_id} == {other}


def test_gives_up_when_each_is_deleted_as_soon_as_it_is_made(
    api: FlaskClient, simulator: Simulator, rows: Rows, ada: str, calls: StripeCalls
) -> None:
    def delete() -> None:
        simulator.delete_customer(list(simulator.store.customers)[-1])

    always(calls.before, OPEN, delete)

    answer = ask(api, ada)

    assert answer.status_code == 409
    assert calls.made.count(OPEN) == actions.MAX_TRIES
    assert len(linked(rows)) <= 1


def test_never_comes_back_to_one_that_was_deleted_before_it_was_recorded(
    api: FlaskClient, world: World, rows: Rows, ada: str, calls: StripeCalls
) -> None:
    """When the one after it is lost, too, the next idempotency key must be another one."""
    customers = world.simulator.store.customers
    calls.before(OPEN, lambda: world.simulator.delete_customer(*customers))
    second = stripe_customer_of(api, ada)
    world.simulator.delete_customer(second)
    world.settle()

    third = stripe_customer_of(api, ada)

    assert linked(rows) == {ada: third}
    assert len(customers) == 3


def test_saves_the_card_of_an_open_session_when_the_same_one_is_linked_again(
    api: FlaskClient, ada: str, rows: Rows, simulator: Simulator, world: World
) -> None:
    answer = ask(api, ada)
    stripe_id, session_id = (str(answer.get_json()[name]) for name in ("stripeCustomerId", "sessionId"))
    unbind(api, rows, ada)
    bind(api, ada, stripe_id)

    simulator.save_card(session_id)
    world.settle()

    [payer] = rows(Payer)
    [default] = payer.methods
    assert payer.default_method_id == default.id
    statuses = {row.stripe_id: row.setup_status for row in rows(CheckoutSession)}
    assert statuses[session_id] == "succeeded"


def test_closes_the_open_session_when_a_new_one_opens_for_the_same_stripe_customer(
    api: FlaskClient, ada: str, rows: Rows, simulator: Simulator
) -> None:
    answer = ask(api, ada)
    stripe_id, session_id = (str(answer.get_json()[name]) for name in ("stripeCustomerId", "sessionId"))
    unbind(api, rows, ada)
    options = {"successURL": "https://example.com/", "currency": "USD"}
    body = {"customer": {"id": ada}, "stripeCustomerId": stripe_id, "options": options}

    assert api.post(SESSIONS, json=body).status_code == 201

    assert simulator.store.checkout_sessions[session_id]["status"] == "expired"
