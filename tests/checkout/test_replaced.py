"""A program that opens a second session for a customer has the older open ones expire at Stripe."""

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.checkout import CheckoutSession
from app.simulator import Simulator
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import meanwhile, program

SESSIONS = "/api/v1/stripe/checkout/sessions"
BODY = {"customer": {"name": "ACME", "key": "acme"}, "options": {"currency": "USD"}}


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    return program(app)


def start(api: FlaskClient, *, key: str | None = None, **more: Any) -> TestResponse:
    headers = {"Idempotency-Key": key} if key else {}
    return api.post(SESSIONS, json=BODY | more, headers=headers)


def states(simulator: Simulator) -> list[str]:
    return [session["status"] for session in simulator.store.checkout_sessions.values()]


def test_only_the_newest_session_stays_open(api: FlaskClient, simulator: Simulator) -> None:
    for _ in range(3):
        assert start(api).status_code == 201

    assert states(simulator) == ["expired", "expired", "open"]


def test_a_session_that_stripe_has_lost_is_in_nobodys_way(api: FlaskClient, simulator: Simulator) -> None:
    start(api)
    [lost] = list(simulator.store.checkout_sessions)
    simulator.store.checkout_sessions.pop(lost)

    assert start(api).status_code == 201

    assert states(simulator) == ["open"]


def test_another_customers_session_stays_open(api: FlaskClient, simulator: Simulator) -> None:
    start(api)
    start(api, customer={"name": "Other", "key": "other"})

    assert states(simulator) == ["open", "open"]


def test_a_repeat_of_the_older_call_closes_nothing(api: FlaskClient, simulator: Simulator) -> None:
    first = start(api, key="one").get_json()
    second = start(api, key="two").get_json()
    assert start(api, key="one").get_json() == first

    assert simulator.store.checkout_sessions[second["sessionId"]]["status"] == "open"


def test_a_session_that_was_finished_meanwhile_stays_finished(api: FlaskClient, simulator: Simulator) -> None:
    first = start(api).get_json()["sessionId"]
    simulator.save_card(first)

    assert start(api).status_code == 201

    assert states(simulator) == ["complete", "open"]


def test_two_calls_at_the_same_moment_leave_one_open(
    app: Flask, api: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    start(api)
    quicker = meanwhile(app, "POST", SESSIONS, BODY)
    StripeCalls.of(simulator).before("POST /v1/checkout/sessions", quicker)

    assert start(api).status_code == 201

    assert states(simulator).count("open") == 1
    assert len(rows(CheckoutSession)) == 3


def test_stripe_away_while_closing_is_tried_again_with_the_same_session(
    api: FlaskClient, simulator: Simulator
) -> None:
    start(api)
    simulator.faults.add("503", "POST /v1/checkout/sessions/*/expire", times=50)
    failed = start(api, key="again")
    simulator.faults.clear()

    answer = start(api, key="again")

    assert (failed.status_code, answer.status_code) == (412, 201)
    assert states(simulator) == ["expired", "open"]
