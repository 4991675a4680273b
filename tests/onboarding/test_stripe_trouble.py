"""While Stripe is in trouble, a sign-up keeps the details, says so, and continues with one button."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
import time_machine
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.apps import App
from app.audit import Entry
from app.checkout import CheckoutSession
from app.core import db
from app.core.db import utcnow
from app.core.secrets.sealing import Sealer
from app.customers import Customer
from app.onboarding.models import Signup
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.support.browser import Page
from tests.support.links import LinkPage, make_customer, make_link
from tests.support.portal import DETAILS, SignupPage, session_of
from tests.support.portal import resume as press_resume
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls

ROUTES = ("POST /v1/customers", "POST /v1/checkout/sessions")
MANY = 50  # more than the SDK tries


SAVED = "Your details are saved"


def read(client: FlaskClient, answer: TestResponse) -> str:
    """The page to which an answer leads."""
    assert answer.status_code == 303
    return Page.of(client.get(answer.location)).text


def assert_details_stored(rows: Rows) -> None:
    """The details are there, once, and no session was opened."""
    [customer], [signup] = rows(Customer), rows(Signup)
    assert (customer.name, customer.primary_email, customer.key) == (
        DETAILS["name"],
        DETAILS["email"],
        DETAILS["key"],
    )
    assert signup.customer_id == customer.id
    assert [row.stripe_session_id for row in rows(CheckoutSession)] in ([], [None])


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", ["429", "503", "timeout_after"])
def test_keeps_the_details_and_continues_later_with_one_button(
    client: FlaskClient, simulator: Simulator, rows: Rows, kind: str, route: str
) -> None:
    simulator.faults.add(kind, route, times=MANY)

    answer = SignupPage(client).submit()

    assert "Continue to payment" in read(client, answer)
    assert_details_stored(rows)

    simulator.faults.clear()
    again = press_resume(client)

    assert again.status_code == 303
    assert len(rows(Customer)) == len(simulator.store.customers) == 1
    assert list(simulator.store.checkout_sessions) == [session_of(again)]


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", ["503", "timeout_after"])
def test_is_not_noticed_when_it_is_short(
    client: FlaskClient, simulator: Simulator, rows: Rows, kind: str, route: str
) -> None:
    simulator.faults.add(kind, route)

    answer = SignupPage(client).submit()

    assert answer.status_code == 303
    assert (
        len(rows(Customer)) == len(simulator.store.customers) == len(simulator.store.checkout_sessions) == 1
    )


@pytest.mark.parametrize(
    "details",
    [
        {},
        {"email": "countess@example.com"},
        {"key": "another", "subject_keys": ["another"], "currency": "JPY"},
        {"key": "", "subject_keys": ["engine-2"]},
    ],
)
def test_leaves_one_stripe_customer_whatever_is_corrected_meanwhile(
    client: FlaskClient, simulator: Simulator, rows: Rows, details: dict[str, Any]
) -> None:
    form = SignupPage(client)
    simulator.faults.add("503", "POST /v1/checkout/sessions", times=MANY)
    form.submit()
    simulator.faults.clear()

    answer = form.submit(**details)

    assert answer.status_code == 303
    assert len(rows(Customer)) == len(simulator.store.customers) == 1


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", ["500_after", "timeout_after"])
def test_continues_when_the_same_form_is_sent_again(
    client: FlaskClient, simulator: Simulator, rows: Rows, kind: str, route: str
) -> None:
    form = SignupPage(client)
    simulator.faults.add(kind, route, times=MANY)
    form.submit()
    simulator.faults.clear()

    assert session_of(form.submit()) in simulator.store.checkout_sessions

    assert len(rows(Customer)) == len(simulator.store.customers) == 1


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", ["500_after", "timeout_after"])
def test_leaves_one_stripe_customer_when_the_form_is_opened_again(
    client: FlaskClient, simulator: Simulator, rows: Rows, kind: str, route: str
) -> None:
    simulator.faults.add(kind, route, times=MANY)
    SignupPage(client).submit()
    simulator.faults.clear()

    answer = SignupPage(client).submit(name="Ada Lovelace Ltd")

    assert answer.status_code == 303
    [customer] = simulator.store.customers.values()
    assert customer["name"] == "Ada Lovelace Ltd"
    assert len(rows(Customer)) == 1


@pytest.mark.parametrize("kind", ["503", "timeout_after", "reset_after"])
def test_leaves_details_changed_meanwhile_to_one_stripe_customer(
    client: FlaskClient, simulator: Simulator, rows: Rows, kind: str
) -> None:
    form = SignupPage(client)
    simulator.faults.add(kind, "POST /v1/checkout/sessions", times=MANY)
    form.submit()
    simulator.faults.clear()

    answer = form.submit(email="countess@example.com")

    [customer] = simulator.store.customers.values()
    assert answer.status_code == 303
    assert customer["email"] == rows(Customer)[0].primary_email == "countess@example.com"
    assert rows(Payer)[0].stripe_customer_id == customer["id"]


def test_keeps_a_correction_that_stripe_could_not_take(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    first = form.submit()
    simulator.faults.add("503", "POST /v1/customers/*", times=MANY)

    answer = form.submit(name="New name")

    assert answer.location == first.location
    assert [customer.name for customer in rows(Customer)] == ["New name"]
    assert rows(Payer)[0].is_contact_due


def test_keeps_a_correction_while_no_session_can_be_opened(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    form.submit()
    simulator.faults.add("503", "POST /v1/checkout/sessions", times=MANY)

    answer = form.submit(currency="JPY")

    assert answer.status_code == 303
    assert [customer.currency for customer in rows(Customer)] == ["JPY"]

    simulator.faults.clear()
    opened = session_of(form.submit(currency="JPY"))
    assert simulator.store.checkout_sessions[opened]["currency"] == "jpy"


def test_takes_a_correction_of_somebody_who_was_deleted_at_stripe_a_moment_ago(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        form = SignupPage(client)
        form.submit()
        clock.shift(timedelta(minutes=2))
        simulator.delete_customer(rows(Payer)[0].stripe_customer_id)

        opened = simulator.store.checkout_sessions[session_of(form.submit(name="Babbage & Co"))]

        assert simulator.store.customers[opened["customer"]]["name"] == "Babbage & Co"
        assert [customer.name for customer in rows(Customer)] == ["Babbage & Co"]


def test_with_a_key_that_was_taken_back_shows_the_visitor_nothing_of_it(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    key = simulator.store.keys.pop(DEFAULT_API_KEY)

    answer = form.submit()

    shown = read(client, answer)
    assert SAVED in shown
    assert "API key" not in shown
    assert "sk_test" not in shown
    assert_details_stored(rows)
    assert [app.status for app in rows(App)] == ["unauthorized"]
    assert "app.unauthorized" in {entry.kind for entry in rows(Entry)}

    simulator.store.keys[DEFAULT_API_KEY] = key
    assert form.submit().status_code == 303


def test_says_beside_the_address_that_stripe_refuses_it(
    client: FlaskClient, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    words = "Invalid email address: ada@example.com"
    calls.refusals["POST /v1/customers"] = {
        "type": "invalid_request_error",
        "code": "email_invalid",
        "param": "email",
        "message": words,
    }

    answer = form.submit()

    assert answer.status_code == 422
    assert words in form.page.error("email")
    assert form.page.value("name") == DETAILS["name"]

    calls.refusals.clear()
    assert form.submit(email="countess@example.com").status_code == 303
    [customer], [payer] = rows(Customer), rows(Payer)
    assert customer.primary_email == "countess@example.com"
    assert payer.stripe_customer_id is not None


def test_says_in_stripes_words_what_it_refuses(client: FlaskClient, rows: Rows, calls: StripeCalls) -> None:
    form = SignupPage(client)
    words = "No payment method types are enabled for this currency."
    calls.refusals["POST /v1/checkout/sessions"] = {"type": "invalid_request_error", "message": words}

    answer = form.submit()

    assert answer.status_code == 422
    assert "Stripe did not accept these details" in form.page.text
    assert words in form.page.text
    assert rows(CheckoutSession) == []


def test_continuing_later_says_so_and_loses_nothing(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(client)
    simulator.expire_session(session_of(form.submit()))
    client.get("/return")
    simulator.faults.add("503", "*", times=MANY)

    answer = press_resume(client)

    assert answer.status_code == 503
    assert SAVED in Page.of(answer).text
    assert len(rows(Customer)) == 1

    simulator.faults.clear()
    opened = session_of(press_resume(client))
    assert simulator.store.checkout_sessions[opened]["status"] == "open"


class TestWhoseKeyIsNotOpened:
    """The app's key was sealed with an encryption key that is gone."""

    @pytest.fixture
    def lose_the_key(self, app: Flask) -> Callable[[], None]:
        """Somebody starts the portal with other encryption keys."""

        def lose() -> None:
            with app.app_context():
                [held] = db.session().scalars(sa.select(App)).all()
                other = Sealer([Fernet.generate_key().decode()])
                held.api_key_sealed = other.seal("sk", f"app:{held.id}:api_key")
                db.session().commit()

        return lose

    def test_nobody_who_signs_up_sees_of_it(
        self, client: FlaskClient, rows: Rows, lose_the_key: Callable[[], None]
    ) -> None:
        lose_the_key()
        form = SignupPage(client)

        with structlog.testing.capture_logs() as logged:
            answer = form.submit()

        shown = read(client, answer)
        assert SAVED in shown
        assert "GANGWAY" not in shown
        assert "secret_not_opened" in {line["event"] for line in logged}
        assert_details_stored(rows)

    def test_nor_who_continues(
        self, client: FlaskClient, simulator: Simulator, lose_the_key: Callable[[], None]
    ) -> None:
        simulator.expire_session(session_of(SignupPage(client).submit()))
        client.get("/return")
        lose_the_key()

        answer = press_resume(client)

        assert answer.status_code == 503
        assert SAVED in Page.of(answer).text
        assert "GANGWAY" not in Page.of(answer).text

    def test_nor_who_has_a_link(self, app: Flask, lose_the_key: Callable[[], None]) -> None:
        path = make_link(app, make_customer(app))
        lose_the_key()
        page = LinkPage(app.test_client(), path)

        answer = page.press()

        assert answer.status_code == 503
        assert "this link still works" in Page.of(answer).text
