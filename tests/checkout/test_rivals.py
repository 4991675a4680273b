"""Two who want one customer at the same moment with other details: one gets it, and Stripe has that one's."""

from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import payers
from app.checkout import expected
from app.checkout.models import Expected
from app.customers import Customer
from app.payers import Payer
from app.simulator import Simulator
from tests.support.portal import SignupPage
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile, program
from tests.support.world import World

SESSIONS = "/api/v1/stripe/checkout/sessions"
MAKE, OPEN, CHANGE = "POST /v1/customers", "POST /v1/checkout/sessions", "POST /v1/customers/*"
OURS, THEIRS = ("ACME A", "a@example.com"), ("ACME B", "b@example.com")


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    return program(app)


def body(details: tuple[str, str]) -> dict[str, Any]:
    name, email = details
    customer = {"name": name, "primaryEmail": email, "key": "acme"}
    return {"customer": customer, "options": {"successURL": "https://example.com/", "currency": "USD"}}


def ask(api: FlaskClient, details: tuple[str, str]) -> TestResponse:
    return api.post(SESSIONS, json=body(details))


def at_stripe(simulator: Simulator) -> list[tuple[str, str]]:
    """Name and email address of each Stripe customer."""
    return [(found["name"], found["email"]) for found in simulator.store.customers.values()]


def here(rows: Rows) -> list[tuple[str, str | None]]:
    """Those of each of our customers."""
    return [(found.name, found.primary_email) for found in rows(Customer)]


def a_while(world: World, clock: time_machine.Traveller) -> None:
    """Workers do what falls due in some minutes."""
    for _ in range(3):
        world.settle()
        clock.shift(61)
    world.settle()


@pytest.mark.parametrize("moment", [MAKE, OPEN])
def test_one_gets_it_while_the_other_asks_stripe(
    moment: str,
    api: FlaskClient,
    calls: StripeCalls,
    app: Flask,
    rows: Rows,
    world: World,
    clock: time_machine.Traveller,
) -> None:
    calls.before(moment, meanwhile(app, "POST", SESSIONS, body(THEIRS)))

    answer = ask(api, OURS)
    a_while(world, clock)

    assert answer.status_code == 409
    assert here(rows) == at_stripe(world.simulator) == [THEIRS]


def test_one_gets_it_when_the_other_fails_after_it_told_stripe_its_name(
    api: FlaskClient,
    calls: StripeCalls,
    app: Flask,
    rows: Rows,
    world: World,
    clock: time_machine.Traveller,
) -> None:
    def tells_and_fails() -> None:
        calls.refusals[OPEN] = {"type": "invalid_request_error", "message": "No."}
        with app.app_context():
            assert ask(program(app), OURS).status_code == 400
        calls.refusals.clear()

    calls.before(OPEN, tells_and_fails)

    assert ask(api, THEIRS).status_code == 201
    assert at_stripe(world.simulator) == [OURS]
    a_while(world, clock)

    assert here(rows) == at_stripe(world.simulator) == [THEIRS]


def test_tells_stripe_nothing_once_the_other_has_it(
    api: FlaskClient, app: Flask, rows: Rows, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = [meanwhile(app, "POST", SESSIONS, body(THEIRS))]
    note = expected.note

    def late(*args: Any, **kwargs: Any) -> None:
        while rival:
            rival.pop()()
        note(*args, **kwargs)

    monkeypatch.setattr(expected, "note", late)

    assert ask(api, OURS).status_code == 409
    assert here(rows) == at_stripe(world.simulator) == [THEIRS]
    assert rows(Expected) == []


def test_two_with_the_same_details_cost_no_further_call(
    api: FlaskClient,
    calls: StripeCalls,
    app: Flask,
    rows: Rows,
    world: World,
    clock: time_machine.Traveller,
) -> None:
    calls.before(MAKE, meanwhile(app, "POST", SESSIONS, body(OURS)))

    assert ask(api, OURS).status_code == 201
    assert not [payer for payer in rows(Payer) if payer.is_contact_due]
    assert rows(Expected) == []
    a_while(world, clock)

    assert not [made for made in calls.made if made.startswith("POST /v1/customers/")]
    assert here(rows) == at_stripe(world.simulator) == [OURS]


def test_of_two_tabs_one_gets_it(
    client: FlaskClient,
    calls: StripeCalls,
    rows: Rows,
    world: World,
    clock: time_machine.Traveller,
) -> None:
    one, other = SignupPage(client), SignupPage(client, "/signup?new=1")
    answers: list[int] = []
    details = {"name": THEIRS[0], "email": THEIRS[1]}
    calls.before(OPEN, lambda: answers.append(other.submit(**details).status_code))

    answers.append(one.submit(name=OURS[0], email=OURS[1]).status_code)
    a_while(world, clock)

    assert answers == [303, 422]
    assert here(rows) == at_stripe(world.simulator) == [THEIRS]


class TestCorrections:
    """What was typed into the form once more."""

    @pytest.fixture
    def form(self, client: FlaskClient) -> SignupPage:
        """The form of somebody who has signed up and came back to it."""
        assert SignupPage(client).submit(name=OURS[0], email=OURS[1]).status_code == 303
        return SignupPage(client)

    def test_stand_when_stripes_answer_is_lost(
        self, form: SignupPage, rows: Rows, world: World, clock: time_machine.Traveller
    ) -> None:
        world.simulator.faults.add("reset_after", CHANGE, times=9)

        answer = form.submit(name=THEIRS[0], email=THEIRS[1])

        assert answer.status_code == 303
        world.simulator.faults.clear()
        a_while(world, clock)

        assert here(rows) == at_stripe(world.simulator) == [THEIRS]

    def test_are_not_pressed_on_stripe_when_it_refuses_them(
        self, form: SignupPage, calls: StripeCalls, rows: Rows, world: World, clock: time_machine.Traveller
    ) -> None:
        [customer] = world.simulator.store.customers
        refusal = {"type": "invalid_request_error", "message": "No such address.", "param": "email"}
        calls.refusals[f"POST /v1/customers/{customer}"] = refusal

        answer = form.submit(email=THEIRS[1])
        a_while(world, clock)

        [payer] = rows(Payer)
        assert answer.status_code == 422
        assert (payer.is_contact_due, payer.attempts) == (False, 0)


def test_who_is_deleted_meanwhile_gets_no_further_stripe_customer(
    api: FlaskClient, app: Flask, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(api, OURS).status_code == 201
    rival = [meanwhile(app, "DELETE", "/api/v1/customers/acme")]
    find = payers.of_customer

    def late(*args: Any) -> Payer | None:
        found = find(*args)
        while rival:
            rival.pop()()
        return found

    monkeypatch.setattr(payers, "of_customer", late)

    options = {"successURL": "https://example.com/", "currency": "USD"}
    answer = api.post(SESSIONS, json={"customer": {"key": "acme"}, "options": options})

    assert answer.status_code in {404, 409, 412}
    assert at_stripe(world.simulator) == [OURS]
