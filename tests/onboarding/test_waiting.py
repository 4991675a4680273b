"""Stripe hangs or is slow: every public page still answers within ten seconds, and asks no second time. When
nobody knows what Stripe did, the page leads to /return, which checks again. The clock is the test's own."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import sync
from app.checkout import CheckoutSession
from app.core import db
from app.core.db import utcnow
from app.gateway.client import TIMEOUTS
from app.gateway.transport import time_budget
from app.payers import Payer
from app.simulator import Simulator
from tests.support.billing import BillingPage, press
from tests.support.browser import Page
from tests.support.hanging_stripe import Clock, HangingStripe, hang
from tests.support.links import make_customer, make_link
from tests.support.portal import SignupPage, sign_up
from tests.support.return_page import look
from tests.support.rows import Rows

LONGEST = 10.0  # seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the budget."""
    made = Clock()
    monkeypatch.setattr(time_budget, "monotonic", made)
    return made


@pytest.fixture(params=[True, False], ids=["no answer", "no connection"])
def hang_from_now(app: Flask, clock: Clock, request: pytest.FixtureRequest) -> Callable[[], HangingStripe]:
    """Have Stripe hang from now on."""

    def start() -> HangingStripe:
        stripe = HangingStripe(clock, connects=request.param)
        hang(app, stripe)
        return stripe

    return start


@pytest.fixture(autouse=True)
def _nobody_waits_afterwards() -> Iterator[None]:
    yield
    assert time_budget.time_left() is None


def test_the_form_answers_in_time(
    client: FlaskClient, clock: Clock, hang_from_now: Callable[[], HangingStripe]
) -> None:
    form, stripe = SignupPage(client), hang_from_now()

    answer = form.submit()

    assert answer.location.startswith("/return?")
    assert (clock.now < LONGEST, stripe.calls) == (True, 1)


def test_a_known_form_leads_to_where_it_is_checked(
    app: Flask, client: FlaskClient, clock: Clock, hang_from_now: Callable[[], HangingStripe]
) -> None:
    form = SignupPage(client)
    form.submit()
    _expire_sessions(app)
    hang_from_now()

    answer = form.submit()

    assert answer.status_code == 303
    assert answer.location.startswith("/return?customer=")
    assert clock.now < LONGEST
    clock.now = 0
    assert look(client, answer.location).h1.endswith("know yet")
    assert clock.now < LONGEST


def test_continuing_leads_to_where_it_is_checked(
    app: Flask, client: FlaskClient, clock: Clock, hang_from_now: Callable[[], HangingStripe]
) -> None:
    sign_up(client)
    form = Page.of(client.get("/cancelled")).one("form", action="/resume")
    fields = {element["name"]: element.get("value") for element in form.all("input")}
    _expire_sessions(app)
    hang_from_now()

    answer = client.post("/resume", data=fields)

    assert answer.status_code == 303
    assert answer.location.startswith("/return?customer=")
    assert clock.now < LONGEST


def test_a_link_answers_in_time(
    app: Flask, client: FlaskClient, clock: Clock, hang_from_now: Callable[[], HangingStripe]
) -> None:
    path = make_link(app, make_customer(app))
    token = Page.of(client.get(path)).value("csrf_token")
    stripe = hang_from_now()

    answer = client.post(path, data={"csrf_token": token})

    assert (answer.status_code, clock.now < LONGEST, stripe.calls) == (503, True, 1)


def test_the_return_page_answers_in_time(
    client: FlaskClient, clock: Clock, hang_from_now: Callable[[], HangingStripe], simulator: Simulator
) -> None:
    simulator.save_card(sign_up(client))
    hang_from_now()

    page = look(client)

    assert clock.now < LONGEST
    assert page.h1.endswith("know yet")


def test_the_billing_page_answers_in_time(
    client: FlaskClient, clock: Clock, hang_from_now: Callable[[], HangingStripe], simulator: Simulator
) -> None:
    simulator.save_card(sign_up(client))
    look(client)
    form = BillingPage(client).page.one("form", action="/billing/stripe")
    hang_from_now()

    answer = press(client, form)

    assert answer.location.startswith("/billing?customer=")
    assert clock.now < LONGEST


def test_the_worker_keeps_its_patience(
    app: Flask, client: FlaskClient, clock: Clock, hang_from_now: Callable[[], HangingStripe], rows: Rows
) -> None:
    sign_up(client)
    stripe = hang_from_now()
    with app.app_context():
        session = db.session()
        lease = sync.claim(session, rows(Payer)[0].id)
        assert lease is not None

        sync.converge(session, lease)

    assert stripe.calls == 2
    assert clock.now in {2 * TIMEOUTS[0], 2 * TIMEOUTS[1]}


def _expire_sessions(app: Flask) -> None:
    """Have what was opened be over, so that Stripe has to open another."""
    with app.app_context():
        session, long_ago = db.session(), utcnow() - timedelta(days=2)
        session.execute(sa.update(CheckoutSession).values(created_at=long_ago, expires_at=long_ago))
        session.commit()
