"""A name may be written from the right. Each page isolates it, so the words around it keep their order."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.core import db
from app.simulator import Simulator
from tests.support.api import Api
from tests.support.console import operator, post, sign_in
from tests.support.console_overview import concerns, customer
from tests.support.handovers import make_secret, sign
from tests.support.links import make_link
from tests.support.portal import sign_up

NAME, KEY, SUBJECT = "שלום בע״מ (1)", "מפתח-7", "מכשיר-3"
ISOLATED = re.compile(r"<bdi[^>]*>[^<]*</bdi>")
# The title of the window, attributes and what a person types into are not part of a sentence.
ALONE = re.compile(r"<title>.*?</title>|<textarea\b.*?</textarea>|<[^>]*>", re.DOTALL)


@pytest.fixture
def customer_id(api: Api) -> str:
    body = {"name": NAME, "key": KEY, "usageAttribution": {"subjectKeys": [SUBJECT]}}
    return str(api.post("/customers", body).get_json()["id"])


def expect_isolated(client: FlaskClient, path: str) -> None:
    """Find the name on a page, and no name or key that is not isolated."""
    answer = client.get(path)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 200, path
    assert any(NAME in isolated for isolated in ISOLATED.findall(html)), path
    bare = ALONE.sub(" ", ISOLATED.sub(" ", html))
    assert [word for word in (NAME, KEY, SUBJECT) if word in bare] == [], path


@pytest.mark.parametrize("path", ["", "/{}", "/{}/edit"])
def test_of_a_customer_in_the_console(path: str, app: Flask, customer_id: str) -> None:
    expect_isolated(sign_in(app), f"/operator/customers{path.format(customer_id)}")


def test_of_a_new_customer_on_the_overview(app: Flask, customer_id: str) -> None:
    expect_isolated(sign_in(app), "/operator/")


def test_of_a_customer_who_needs_attention(app: Flask) -> None:
    customer(app, "failed", name=NAME)

    concern = concerns(sign_in(app))["1 Declined"]
    assert concern.one("bdi").text == NAME


def test_of_a_stripe_app(app: Flask, customer_id: str) -> None:
    with app.app_context():
        [one] = apps.installed(db.session())
        one.name = NAME
        db.session().commit()

    expect_isolated(sign_in(app), "/operator/stripe")


def test_of_a_customer_who_gets_a_link(app: Flask, customer_id: str) -> None:
    expect_isolated(app.test_client(), make_link(app, customer_id))


def test_of_who_signed_up(client: FlaskClient, simulator: Simulator) -> None:
    session_id = sign_up(client, name=NAME, key=KEY, subject_keys=[SUBJECT])
    simulator.save_card(session_id)

    expect_isolated(client, "/return")
    expect_isolated(client, "/signup")
    expect_isolated(client, "/billing")


def test_of_a_customer_whom_an_app_hands_over(app: Flask, client: FlaskClient, customer_id: str) -> None:
    token = sign(make_secret(app), {"key": KEY})

    expect_isolated(client, f"/signup?handover={token}")


@pytest.mark.parametrize("path", ["team", "team/{}"])
def test_of_an_operator(path: str, app: Flask) -> None:
    who = operator(app, "viewer", name=NAME)

    expect_isolated(sign_in(app), f"/operator/{path.format(who.id)}")


@pytest.mark.parametrize("page", ["tokens", "portal/handovers"])
def test_of_what_is_revoked(page: str, app: Flask) -> None:
    client = sign_in(app)
    post(client, f"/operator/{page}", name=NAME, scope="read")
    client.get(f"/operator/{page}")  # shows the secret once

    expect_isolated(client, f"/operator/{page}")
