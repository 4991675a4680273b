"""A hand-over fills in the form with what the app of the company says, and locks some of it."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.customers import Customer
from app.onboarding.handovers import HandoverSecret
from app.onboarding.models import Signup
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.handovers import (
    RETURN_URL,
    HandoverPage,
    make_secret,
    revoke_secrets,
    secret_ids,
    sign,
)
from tests.support.portal import session_of, sign_up
from tests.support.rows import Rows


@pytest.fixture
def secret(app: Flask) -> str:
    """A secret that the company's app has."""
    return make_secret(app)


def test_begins_with_the_details(client: FlaskClient, secret: str) -> None:
    page = HandoverPage(client, sign(secret)).page

    held = {name: page.value(name) for name in ("name", "email", "currency", "key")}
    assert held == {
        "name": "Ada Lovelace Ltd",
        "email": "ada@example.com",
        "currency": "EUR",
        "key": "customer-42",
    }
    assert page.values("subject_keys") == ["meter-1", "meter-2"]


def test_makes_the_customer_and_leads_to_stripe(
    app: Flask, client: FlaskClient, secret: str, rows: Rows, simulator: Simulator
) -> None:
    answer = HandoverPage(client, sign(secret, returnURL=RETURN_URL, returnLabel="Engines")).submit()

    [customer] = rows(Customer)
    [signup] = rows(Signup)
    assert answer.location.startswith("http://127.0.0.1:12111/c/pay/")
    assert (customer.name, customer.primary_email, customer.key) == (
        "Ada Lovelace Ltd",
        "ada@example.com",
        "customer-42",
    )
    assert sorted(customer.subject_keys) == ["meter-1", "meter-2"]
    assert (signup.return_url, signup.return_label) == (RETURN_URL, "Engines")
    assert len(simulator.store.customers) == 1
    used = [entry for entry in rows(Entry) if entry.kind == "handover.used"]
    assert [(entry.actor, entry.customer_id) for entry in used] == [
        (f"handover:{secret_ids(app)[0]}", customer.id)
    ]


def test_lets_people_change_what_is_not_locked(client: FlaskClient, secret: str, rows: Rows) -> None:
    HandoverPage(client, sign(secret)).submit(name="Babbage & Sons", email="charles@example.com")

    [customer] = rows(Customer)
    assert (customer.name, customer.primary_email) == ("Babbage & Sons", "charles@example.com")


def test_keeps_what_is_locked_whatever_the_browser_sends(
    client: FlaskClient, secret: str, rows: Rows
) -> None:
    page = HandoverPage(client, sign(secret, locked=["name", "email", "currency"]))

    page.submit(
        name="Mallory", email="mallory@example.com", currency="USD", key="another", subject_keys=["stolen"]
    )

    [customer] = rows(Customer)
    assert (customer.name, customer.primary_email, customer.currency) == (
        "Ada Lovelace Ltd",
        "ada@example.com",
        "EUR",
    )
    assert customer.key == "customer-42"
    assert sorted(customer.subject_keys) == ["meter-1", "meter-2"]


def test_shows_what_is_locked(client: FlaskClient, secret: str) -> None:
    page = HandoverPage(client, sign(secret, locked=["email", "currency"])).page

    assert "readonly" in page.field("email").attributes
    assert "readonly" in page.field("key").attributes
    assert "readonly" not in page.field("name").attributes
    assert all("readonly" in element.attributes for element in page.all("input", name="subject_keys"))
    assert [option["value"] for option in page.field("currency").all("option")] == ["EUR"]
    assert not page.all("div", data_rows="")


def test_stays_locked_when_something_else_is_wrong(client: FlaskClient, secret: str) -> None:
    page = Page.of(HandoverPage(client, sign(secret, locked=["email"])).submit(name="", email="x"))

    assert page.value("email") == "ada@example.com"
    assert "readonly" in page.field("email").attributes
    assert page.error("name")


def test_may_be_looked_at_any_number_of_times(
    app: Flask, client: FlaskClient, secret: str, rows: Rows
) -> None:
    token = sign(secret, singleUse=True)
    for _ in range(20):
        HandoverPage(app.test_client(use_cookies=False), token)

    answer = HandoverPage(client, token).submit()

    assert answer.status_code == 303
    assert len(rows(Customer)) == 1


def test_starts_again_in_a_browser_that_is_known(client: FlaskClient, secret: str, rows: Rows) -> None:
    sign_up(client)

    HandoverPage(client, sign(secret)).submit()

    assert sorted(customer.key for customer in rows(Customer)) == ["ada-1", "customer-42"]


@for_each("locked", [[], ["name"]])
def test_needs_only_a_name_of_secret_by_key_id(
    app: Flask, client: FlaskClient, secret: str, locked: list[str]
) -> None:
    header = {"alg": "HS256", "kid": secret_ids(app)[0]}

    page = HandoverPage(client, sign(secret, {"name": "Ada"}, header=header, locked=locked)).page

    assert page.value("name") == "Ada"


def test_is_noted_under_its_secret_whoever_it_claims_to_come_from(
    app: Flask, client: FlaskClient, secret: str, rows: Rows
) -> None:
    HandoverPage(client, sign(secret, iss=f"operator:{'0' * 26}")).submit()

    actors = [entry.actor for entry in rows(Entry) if entry.kind == "handover.used"]
    assert actors == [f"handover:{secret_ids(app)[0]}"]
    assert rows(HandoverSecret)[0].last_used_at is not None


def test_waits_for_somebody_who_fills_in_the_form_meanwhile(
    client: FlaskClient, secret: str, clock: time_machine.Traveller
) -> None:
    page = HandoverPage(client, sign(secret))
    clock.shift(timedelta(hours=1))

    assert page.submit().status_code == 303


def test_does_not_wait_forever(client: FlaskClient, secret: str, clock: time_machine.Traveller) -> None:
    page = HandoverPage(client, sign(secret))
    clock.shift(timedelta(hours=3))

    answer = page.submit()

    assert answer.status_code == 410
    assert Page.of(answer).h1 == "Go back and start again"


def test_is_refused_on_sending_once_its_secret_is_revoked(
    app: Flask, client: FlaskClient, secret: str, rows: Rows
) -> None:
    page = HandoverPage(client, sign(secret))
    revoke_secrets(app)

    assert page.submit().status_code == 404
    assert rows(Customer) == []


def test_of_an_api_call_or_of_a_second_secret_works_too(app: Flask, secret: str) -> None:
    second = make_secret(app)

    pages = [HandoverPage(app.test_client(), sign(each)) for each in (secret, second)]

    assert [page.answer.status_code for page in pages] == [200, 200]


def test_comes_in_its_language_and_so_do_the_next_pages(
    client: FlaskClient, secret: str, simulator: Simulator
) -> None:
    form = HandoverPage(client, sign(secret, language="de"))
    simulator.save_card(session_of(form.submit()))
    done = Page.of(client.get("/return"))
    chosen = Page.of(client.get("/billing?language=fr"))

    assert [page.one("html")["lang"] for page in (form.page, done, chosen)] == ["de", "de", "fr"]


def test_without_a_signature_only_harmless_details_are_filled_in(client: FlaskClient) -> None:
    query = {"name": " Ada ", "email": "ada@example.com", "key": "k", "currency": "JPY", "subject_keys": "s"}

    page = Page.of(client.get("/signup", query_string=query))

    assert (page.value("name"), page.value("email")) == ("Ada", "ada@example.com")
    assert (page.value("key"), page.value("currency")) == ("", "USD")
    assert page.values("subject_keys") == [""]


@for_each("typed", ["x" * 300, "a\x07b", "\u200b"])
def test_odd_details_are_cut_or_left_out(client: FlaskClient, typed: str) -> None:
    page = Page.of(client.get("/signup", query_string={"name": typed}))

    assert page.value("name") == typed[:256].strip("\u200b") * (typed != "a\x07b")


def test_keeps_its_token_out_of_referrers_targets_and_logs(
    client: FlaskClient, secret: str, capfd: pytest.CaptureFixture[str]
) -> None:
    token = sign(secret)
    page = HandoverPage(client, token)

    answer = page.submit()

    assert page.answer.headers["Referrer-Policy"] == "no-referrer"
    assert page.answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert page.answer.headers["Cache-Control"] == "no-store"
    assert page.page.one("form", id="details")["action"] == "/signup"
    assert token not in answer.location
    assert token not in capfd.readouterr().err
