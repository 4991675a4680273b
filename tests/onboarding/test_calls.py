"""What a whole onboarding asks of Stripe: four calls, whatever the number and order of events."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import utcnow
from app.payers import Payer
from app.simulator import Simulator
from app.webhooks import Event
from tests.support.browser import Page
from tests.support.portal import sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.work import work, work_through

SAVED = "Your payment method is saved"
READ = "GET /v1/checkout/sessions/*"
DEFAULT = "POST /v1/customers/*"


def look(client: FlaskClient) -> str:
    return Page.of(client.get("/return")).h1


def assert_four(calls: StripeCalls, session_id: str, rows: Rows) -> None:
    [payer] = rows(Payer)
    assert calls.made == [
        "POST /v1/customers",
        "POST /v1/checkout/sessions",
        f"GET /v1/checkout/sessions/{session_id}",
        f"POST /v1/customers/{payer.stripe_customer_id}",
    ]
    assert {event.state for event in rows(Event)} <= {"done", "ignored"}


def test_return_before_the_webhooks(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        session_id = sign_up(client)
        simulator.save_card(session_id)

        heading = look(client)
        work_through(app, simulator, clock)

        assert heading == SAVED
        assert len(rows(Event)) >= 4
        assert_four(calls, session_id, rows)


def test_webhooks_before_the_return(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        session_id = sign_up(client)
        simulator.save_card(session_id)

        work(app, simulator)
        heading = look(client)
        work_through(app, simulator, clock)

        assert heading == SAVED
        assert_four(calls, session_id, rows)


def test_webhooks_one_by_one_with_looks_between(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        session_id = sign_up(client)
        simulator.save_card(session_id)
        simulator.fault_settings.duplicate = 3
        simulator.fault_settings.shuffle = True

        for _ in range(3):
            look(client)
            work(app, simulator)
            clock.shift(1)
        work_through(app, simulator, clock)

        assert_four(calls, session_id, rows)


@pytest.mark.parametrize("route", [READ, DEFAULT])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_webhooks_while_the_return_page_converges(
    app: Flask,
    client: FlaskClient,
    simulator: Simulator,
    rows: Rows,
    calls: StripeCalls,
    moment: str,
    route: str,
) -> None:
    in_thread = ThreadPoolExecutor(1)
    with time_machine.travel(utcnow(), tick=True) as clock:
        session_id = sign_up(client)
        simulator.save_card(session_id)

        arrive = calls.before if moment == "before" else calls.after
        arrive(route, lambda: in_thread.submit(work, app, simulator).result())
        heading = look(client)
        work_through(app, simulator, clock)

        assert heading == SAVED
        assert_four(calls, session_id, rows)
    in_thread.shutdown()


@pytest.mark.parametrize("route", [READ, DEFAULT])
def test_a_look_while_the_worker_converges(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls, route: str
) -> None:
    looking = ThreadPoolExecutor(1)
    with time_machine.travel(utcnow(), tick=True) as clock:
        session_id = sign_up(client)
        simulator.save_card(session_id)
        looks = []

        calls.before(route, lambda: looks.append(looking.submit(look, client)))
        work(app, simulator)
        heading = looks[0].result()
        work_through(app, simulator, clock)

        assert heading == SAVED
        assert_four(calls, session_id, rows)
    looking.shutdown()


def test_webhooks_dropped_for_good(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.fault_settings.drop_all = True
        session_id = sign_up(client)
        simulator.save_card(session_id)

        heading = look(client)
        work_through(app, simulator, clock)

        assert heading == SAVED
        assert_four(calls, session_id, rows)


def test_neither_webhooks_nor_return(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.fault_settings.drop_all = True
        session_id = sign_up(client)
        simulator.save_card(session_id)

        work_through(app, simulator, clock, hours=8)

        assert_four(calls, session_id, rows)
        assert look(client) == SAVED


def test_a_reload_of_the_saved_page(
    client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    session_id = sign_up(client)
    simulator.save_card(session_id)

    headings = {look(client) for _ in range(5)}

    assert headings == {SAVED}
    assert_four(calls, session_id, rows)


def test_3d_secure_finished_at_once(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        session_id = sign_up(client)
        simulator.save_card(session_id, "4000002500003155")
        work(app, simulator)
        clock.shift(20)
        simulator.authenticate(session_id)
        work(app, simulator)

        heading = look(client)
        work_through(app, simulator, clock)

        assert heading == SAVED
        assert_four(calls, session_id, rows)
