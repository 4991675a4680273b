"""A row is reserved before Stripe is asked. The worker or the next call continues from it."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.checkout import CheckoutSession
from app.core import db
from app.customers import Customer
from app.payers import Payer
from app.sync.workers import worker
from tests.support.portal import SignupPage, client_cookie, session_of
from tests.support.portal import resume as press_resume
from tests.support.rivals import comes_first
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.tokens import program
from tests.support.world import World

SESSIONS = "/api/v1/stripe/checkout/sessions"
MAKE, OPEN = "POST /v1/customers", "POST /v1/checkout/sessions"


@pytest.fixture
def reserved(client: FlaskClient, world: World) -> FlaskClient:
    """A browser that signed up while Stripe was away."""
    world.simulator.faults.add("503", MAKE, times=50)
    SignupPage(client).submit()
    world.simulator.faults.clear()
    return client


def sign_up_again(app: Flask, name: str) -> None:
    """Somebody else signs up."""
    SignupPage(app.test_client()).submit(key=name, subject_keys=[name])


def start(api: FlaskClient, name: str, key: str | None = None) -> TestResponse:
    """A program asks for a session for a customer with the key `acme`."""
    options = {"successURL": "https://example.com/", "currency": "USD"}
    headers = {"Idempotency-Key": key} if key else {}
    body = {"customer": {"name": name, "key": "acme"}, "options": options}
    return api.post(SESSIONS, json=body, headers=headers)


class TestPayers:
    def test_are_completed_by_the_worker(
        self, reserved: FlaskClient, world: World, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(minutes=2))
        world.settle()

        [payer] = rows(Payer)
        assert list(world.simulator.store.customers) == [payer.stripe_customer_id]
        assert payer.last_error is None
        assert rows(CheckoutSession)[0].stripe_session_id is None  # opened when a person arrives

        opened = session_of(press_resume(reserved))
        assert world.simulator.store.checkout_sessions[opened]["customer"] == payer.stripe_customer_id

    def test_say_why_they_are_not_at_stripe_yet(self, reserved: FlaskClient, rows: Rows) -> None:
        [payer] = rows(Payer)

        assert payer.stripe_customer_id is None
        assert payer.last_error

    def test_are_left_to_their_visitor_for_a_minute(
        self, reserved: FlaskClient, world: World, calls: StripeCalls
    ) -> None:
        world.work()

        assert calls.made == []

    def test_report_no_failure_once_they_are_at_stripe(self, reserved: FlaskClient, rows: Rows) -> None:
        press_resume(reserved)

        [payer] = rows(Payer)
        assert payer.stripe_customer_id is not None
        assert payer.last_error is None

    def test_use_another_key_when_stripe_has_stored_a_failure(
        self, client: FlaskClient, world: World, rows: Rows
    ) -> None:
        world.simulator.faults.add("500", MAKE, times=1)

        answer = SignupPage(client).submit()

        [payer] = rows(Payer)
        assert answer.status_code == 303
        assert payer.attempt == 2
        assert list(world.simulator.store.customers) == [payer.stripe_customer_id]

    def test_take_what_a_stored_failure_had_created(
        self, client: FlaskClient, world: World, rows: Rows
    ) -> None:
        world.simulator.faults.add("500_after", MAKE, times=50)

        SignupPage(client).submit()

        [payer] = rows(Payer)
        assert payer.attempt == 1
        assert list(world.simulator.store.customers) == [payer.stripe_customer_id]

    def test_get_no_stripe_customer_once_they_have_ended(
        self, app: Flask, world: World, rows: Rows, calls: StripeCalls
    ) -> None:
        api, another = program(app), program(app)
        [installed] = api.get("/api/v1/apps").get_json()["items"]
        world.simulator.faults.add("500", MAKE, times=1)  # so it is asked for again
        calls.after(MAKE, elsewhere(lambda: another.delete(f"/api/v1/customers/acme/apps/{installed['id']}")))

        answer = start(api, "ACME")

        assert answer.status_code == 201
        ended, living = sorted(rows(Payer), key=lambda payer: payer.deleted_at is None)
        assert (ended.deleted_at is None, ended.stripe_customer_id) == (False, None)
        assert list(world.simulator.store.customers) == [living.stripe_customer_id]


class TestSessions:
    def test_are_purged_when_nobody_comes_back(
        self, app: Flask, client: FlaskClient, world: World, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        opened = session_of(SignupPage(client).submit())
        world.simulator.faults.add("503", OPEN, times=50)
        sign_up_again(app, "bob")
        clock.shift(timedelta(days=3))
        sign_up_again(app, "eve")

        with app.app_context():
            worker.purge(db.session())

        assert [row.stripe_session_id for row in rows(CheckoutSession)] == [opened, None]
        assert len(rows(Customer)) == 3

    def test_that_another_call_has_opened_stay_when_another_call_is_refused(
        self, app: Flask, world: World, rows: Rows, calls: StripeCalls
    ) -> None:
        calls.refusals[OPEN] = {"type": "invalid_request_error", "message": "No."}
        opened = sa.update(CheckoutSession).values(stripe_session_id="cs_test_twin")

        with comes_first(app, "DELETE FROM checkout_session", opened):
            answer = start(program(app), "ada")

        assert answer.status_code == 400
        assert [row.stripe_session_id for row in rows(CheckoutSession)] == ["cs_test_twin"]

    def test_of_one_key_are_one_after_a_crash(self, app: Flask, world: World, rows: Rows) -> None:
        api = program(app)
        world.simulator.faults.add("reset_after", OPEN, times=50)
        assert start(api, "ACME", key="order-1").status_code == 412
        world.simulator.faults.clear()

        answer = start(api, "ACME", key="order-1")

        [opened] = world.simulator.store.checkout_sessions
        assert answer.get_json()["sessionId"] == opened
        assert [row.stripe_session_id for row in rows(CheckoutSession)] == [opened]

    def test_of_one_key_are_two_after_a_day(
        self, app: Flask, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        api = program(app)
        first = start(api, "ACME", key="order-1").get_json()["sessionId"]
        clock.shift(timedelta(hours=25))

        second = start(api, "ACME", key="order-1").get_json()["sessionId"]

        assert second != first
        assert [row.stripe_session_id for row in rows(CheckoutSession)] == [first, second]

    def test_of_our_pages_are_replaced_when_a_program_opens_another(
        self, app: Flask, client: FlaskClient, world: World, rows: Rows
    ) -> None:
        own = session_of(SignupPage(client).submit())
        [customer] = rows(Customer)
        body = {"customer": {"id": customer.id}, "options": {"successURL": "https://example.com/"}}

        opened = program(app).post(SESSIONS, json=body).get_json()["sessionId"]

        sessions = world.simulator.store.checkout_sessions
        assert (sessions[own]["status"], sessions[opened]["status"]) == ("expired", "open")
        assert [row.is_current for row in rows(CheckoutSession)] == [False, False]
        assert session_of(press_resume(client)) in sessions

    def test_of_our_pages_are_one_for_many_browsers_at_once(
        self, app: Flask, client: FlaskClient, world: World, rows: Rows
    ) -> None:
        form = SignupPage(client)
        nonce = form.page.value("nonce")
        cookie = client_cookie(client)

        def send(_number: int) -> str:
            browser = app.test_client()
            browser.set_cookie("gangway", cookie)
            return session_of(SignupPage(browser).submit(nonce=nonce))

        with ThreadPoolExecutor(10) as threads:
            opened = set(threads.map(send, range(10)))

        assert opened == set(world.simulator.store.checkout_sessions)
        assert len(opened) == len(rows(Customer)) == len(world.simulator.store.customers) == 1


def test_one_of_two_programs_gets_a_key_and_the_other_is_refused(
    app: Flask, world: World, rows: Rows, calls: StripeCalls
) -> None:
    late: list[TestResponse] = []

    def come_late() -> None:
        with ThreadPoolExecutor(1) as thread:
            late.append(thread.submit(start, program(app), "ACME B").result())

    calls.after(MAKE, come_late)

    answer = start(program(app), "ACME A")

    assert (answer.status_code, [other.status_code for other in late]) == (201, [409])
    assert [customer.name for customer in rows(Customer)] == ["ACME A"]
    assert [found["name"] for found in world.simulator.store.customers.values()] == ["ACME A"]
