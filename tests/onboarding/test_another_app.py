"""A sign-up that was begun before another Stripe app was installed."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.links import LinkPage, make_customer, make_link
from tests.support.portal import DETAILS, SignupPage, session_of, sign_up
from tests.support.rows import Rows


@pytest.fixture
def begun(app: Flask, client: FlaskClient, simulator: Simulator) -> FlaskClient:
    """A browser with a saved card in an app that has made room for another since."""
    simulator.save_card(sign_up(client))
    client.get("/return")
    with app.app_context():
        session = db.session()
        old = session.scalars(sa.select(App)).one()
        old.deleted_at, old.is_default = utcnow(), False
        session.commit()
        apps.install(session, DEFAULT_API_KEY, public_url=PORTAL, actor="test")
        session.commit()
    return client


def test_is_not_shown_as_if_its_card_could_be_charged(begun: FlaskClient) -> None:
    answer = begun.get("/return")

    assert answer.status_code == 200
    assert "4242" not in Page.of(answer).text


def test_never_continues_in_the_other_mode(app: Flask, client: FlaskClient, rows: Rows) -> None:
    page = LinkPage(client, make_link(app, make_customer(app)))
    with app.app_context():
        session = db.session()
        old = session.scalars(sa.select(App)).one()
        old.deleted_at, old.is_default = utcnow(), False
        live = {"livemode": True, "api_key_sealed": "", "masked_api_key": "", "webhook_endpoint_id": ""}
        session.flush()
        session.add(App(name="Live", stripe_account_id=old.stripe_account_id, is_default=True, **live))
        session.commit()

    assert page.press().status_code == 503
    assert rows(Payer) == []


def test_shows_the_details_again(begun: FlaskClient) -> None:
    assert SignupPage(begun).page.value("name") == DETAILS["name"]


def test_takes_corrections_and_continues_in_the_new_app(
    begun: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    form = SignupPage(begun)

    answer = form.submit(name="Babbage & Co")

    opened = simulator.store.checkout_sessions[session_of(answer)]
    assert simulator.store.customers[opened["customer"]]["name"] == "Babbage & Co"
    assert [customer.name for customer in rows(Customer)] == ["Babbage & Co"]


def test_continues_in_the_new_app(begun: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    page = Page.of(begun.get("/cancelled"))
    form = page.one("form", action="/resume")

    answer = begun.post("/resume", data={field["name"]: field.get("value") for field in form.all("input")})

    simulator.save_card(session_of(answer), "5555555555554444")
    assert "4444" in Page.of(begun.get("/return")).text
    assert len(rows(Customer)) == 1
