"""A program may have customers sent to http(s) URLs of listed origins only; without one, to our own page."""

from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.checkout import CheckoutSession
from app.core.config import Settings
from app.core.db import utcnow
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.bad_hosts import BAD_HOSTS
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.rows import Rows
from tests.support.tokens import program

SESSIONS = "/api/v1/stripe/checkout/sessions"


@pytest.fixture
def settings(database_url: str) -> Settings:
    return make_settings(
        database_url=database_url, redirect_origins="https://app.example.com,http://localhost:3000"
    )


def start(app: Flask, **options: Any) -> Any:
    body = {"customer": {"name": "ACME", "key": "acme"}, "options": {"currency": "USD"} | options}
    return program(app).post(SESSIONS, json=body)


@for_each(
    "url",
    [
        "https://app.example.com",
        "https://app.example.com/done?id={CHECKOUT_SESSION_ID}#top",
        "HTTPS://APP.EXAMPLE.COM:443/done",
        "http://localhost:3000/",
        "http://127.0.0.1:8000/return",
    ],
)
def test_a_listed_origin_is_taken(app: Flask, simulator: Simulator, url: str) -> None:
    answer = start(app, successURL=url, cancelURL=url)

    assert answer.status_code == 201
    session = simulator.store.checkout_sessions[answer.get_json()["sessionId"]]
    assert (session["success_url"], session["cancel_url"]) == (url, url)


@for_each(
    "url",
    [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443/",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://evil.example\\@app.example.com/",
        "https://evil.example/\\app.example.com",
        "https://app.example.com\t.evil.example/",
        "https:app.example.com",
        "https:///app.example.com",
        "https://app.example.com:0x1bb/",
        "//app.example.com",
        "/done",
        "",
        "javascript:alert(1)//https://app.example.com",
        "data:text/html,hello",
        " https://app.example.com",
        "https://app.example.com/\nhttps://app.example.com",
    ],
)
def test_anything_else_is_refused(app: Flask, simulator: Simulator, url: str) -> None:
    for name in ("successURL", "cancelURL", "returnURL"):
        answer = start(app, **({"successURL": "https://app.example.com"} | {name: url}))

        assert answer.status_code == 400, name
        [error] = answer.get_json()["extensions"]["validationErrors"]
        assert error["field"] == f"/options/{name}"
    assert simulator.store.checkout_sessions == {}


def test_the_portal_returns_to_a_listed_origin_only(app: Flask, simulator: Simulator) -> None:
    customer = start(app, successURL="https://app.example.com").get_json()["customerId"]
    portal = f"/api/v1/customers/{customer}/stripe/portal"

    refused = program(app).post(portal, json={"returnURL": "https://evil.example"})
    taken = program(app).post(portal, json={"returnURL": "https://app.example.com/billing"})

    assert (refused.status_code, taken.status_code) == (400, 201)


def test_who_comes_back_from_stripe_reads_nothing_of_an_older_card(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    def come_back() -> Page:
        opened = start(app).get_json()["sessionId"]
        simulator.save_card(opened, cards.pop(0))
        url = simulator.store.checkout_sessions[opened]["success_url"]
        return Page.of(client.get(url.replace("{CHECKOUT_SESSION_ID}", opened)))

    cards = ["4242424242424242", "4000000000000002"]
    with time_machine.travel(utcnow(), tick=True) as clock:
        first = come_back()
        clock.shift(120)
        second = come_back()

    assert "4242" in first.text
    assert "4242" not in second.text


def test_without_an_address_the_customer_comes_back_to_our_page(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    answer = start(app)
    [opened] = rows(CheckoutSession)
    session = simulator.store.checkout_sessions[opened.stripe_id]
    back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", opened.stripe_id)
    simulator.save_card(opened.stripe_id)

    page = Page.of(client.get(back))

    assert answer.status_code == 201
    assert back.startswith("http://127.0.0.1:8000/return?")
    assert "Your payment method is saved" in page.text
    assert "4242" in page.text


def test_our_page_shows_a_session_to_nobody_who_only_knows_the_customer(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    customer = start(app).get_json()["customerId"]

    for other in ("", "&session=cs_test_unknown"):
        assert client.get(f"/return?customer={customer}{other}").status_code == 404


def test_an_embedded_page_comes_back_to_our_page_too(app: Flask, simulator: Simulator) -> None:
    embedded = start(app, uiMode="embedded").get_json()
    closed = start(app, uiMode="embedded", redirectOnCompletion="never").get_json()

    assert "/return?customer=" in embedded["returnURL"]
    assert "returnURL" not in closed


class TestWithoutAList:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url)

    @for_each("host", [*BAD_HOSTS, "a%2eb", "[v1.x]", "[fe80::1%25eth0]", "-b\u00fccher.example"])
    def test_a_host_that_can_not_be_is_refused(self, app: Flask, host: str) -> None:
        assert start(app, successURL=f"https://{host}/x").status_code == 400

    @for_each("host", ["a", "my_app:3000", "[::1]:8000", "192.0.2.1", "example.com.", "b\u00fccher.example"])
    def test_a_host_that_can_be_is_taken(self, app: Flask, host: str) -> None:
        assert start(app, successURL=f"https://{host}/x").status_code == 201

    def test_any_web_address_is_taken_and_nothing_else(self, app: Flask) -> None:
        assert start(app, successURL="https://anywhere.example/x").status_code == 201
        assert start(app, successURL="ftp://anywhere.example/x").status_code == 400
