"""The log says who was refused, who failed to log in and why a customer could not go on, and no token."""

import hashlib
import logging as standard_logging
import secrets

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core import db
from app.operators.auth.tokens import revoke_token
from app.simulator import Simulator
from app.web import logging
from tests.conftest import make_settings
from tests.support.cases import for_each
from tests.support.console import operator, sign_in
from tests.support.logs import lines_of
from tests.support.operators import log_in, member
from tests.support.portal import SignupPage
from tests.support.tokens import bearer

Capture = pytest.CaptureFixture[str]


def listen() -> None:
    logging.configure(make_settings(log_level="DEBUG"))


def line_of(capsys: Capture, event: str) -> dict[str, object]:
    [line] = [line for line in lines_of(capsys.readouterr().err) if line["event"] == event]
    return line


def test_a_refusal_names_the_operator(app: Flask, capsys: Capture) -> None:
    who = operator(app, "viewer")
    browser = sign_in(app, who=who)
    listen()

    assert browser.get("/operator/team").status_code == 403

    line = line_of(capsys, "refused")
    assert line["operator_id"] == who.id
    assert line["path"] == "/operator/team"


def test_a_refusal_names_the_token(app: Flask, capsys: Capture) -> None:
    headers = bearer(app, "read")
    listen()

    answer = app.test_client().post("/api/v1/customers", json={"name": "A", "key": "a"}, headers=headers)

    assert answer.status_code == 403
    text = capsys.readouterr().err
    lines = [line for line in lines_of(text) if line["event"] in {"refused", "request"}]
    _, token_id, secret = headers["Authorization"].split("_", 2)
    assert [line["token_id"] for line in lines] == [token_id] * 2
    assert secret not in text


def test_a_token_that_was_revoked_is_named_too(app: Flask, capsys: Capture) -> None:
    headers = bearer(app, "read")
    _, token_id, secret = headers["Authorization"].split("_", 2)
    with app.app_context():
        session = db.session()
        revoke_token(session, token_id, actor="test")
        session.commit()
    listen()

    assert app.test_client().get("/api/v1/customers", headers=headers).status_code == 401

    text = capsys.readouterr().err
    assert [line["token_id"] for line in lines_of(text) if line["event"] == "request"] == [token_id]
    assert secret not in text


@for_each("email", ["ada@example.com", "nobody@example.com", " ADA@Example.com"])
def test_a_failed_login_names_whom_it_was_for_and_where_from(
    app: Flask, client: FlaskClient, email: str, capsys: Capture
) -> None:
    if email == "ada@example.com":
        member(app, email)
    listen()

    assert log_in(client, email, "wrong password").status_code == 422

    text = capsys.readouterr().err
    [line] = [line for line in lines_of(text) if line["event"] == "operator.login_failed"]
    assert line["email_sha256"] == hashlib.sha256(email.strip().lower().encode()).hexdigest()
    assert line["address"] == "127.0.0.1"
    assert email.strip() not in text
    assert "wrong password" not in text


def test_a_customer_who_cannot_continue_leaves_the_cause(
    client: FlaskClient, simulator: Simulator, capsys: Capture
) -> None:
    form = SignupPage(client)
    simulator.faults.add("500", "POST /v1/customers", 20)
    listen()

    assert form.send(form.fields()).location.startswith("/return?")

    line = line_of(capsys, "payment_page_unavailable")
    assert line["cause"] == "StripeFailureStored"
    assert line["reason"] == "Stripe had a problem."


@for_each(
    "address",
    [
        "/start/{}",
        "/START/{}/opened",
        "/x/start/{}",
        "/billing/invitation/{}",
        "/billing/invitation/{}_",
        "/billing//invitation/{}x",
        "/operator/invitation?token={}",
        "/operator/setup?a=1&token={}&b=2",
        "/operator/invitation/{}",
        "/operator/login?next=%2Foperator%2Finvitation%3Ftoken%3D{}",
        "/{}",
        "/return?setup_token={}",
    ],
)
def test_no_token_of_an_address_is_in_the_log(client: FlaskClient, address: str, capsys: Capture) -> None:
    token = secrets.token_urlsafe(32)
    path = address.format(token)
    listen()

    client.get(path)
    standard_logging.getLogger("library").warning("GET %s failed", path)
    server = standard_logging.getLogger("gunicorn.error")
    server.warning("Error handling request %s", path)

    text = capsys.readouterr().err
    assert "Error handling request" in text
    assert "***" in text
    assert token not in text
