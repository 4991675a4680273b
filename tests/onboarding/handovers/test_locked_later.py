"""What a hand-over locked stays locked, when the browser comes back without the hand-over."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import customers
from app.core.db import utcnow
from app.customers import Customer
from app.simulator import Simulator
from tests.support.billing import BillingPage, after, press
from tests.support.browser import Page
from tests.support.console import sign_in
from tests.support.handovers import CLAIMS, HandoverPage, in_seconds, make_secret, sign
from tests.support.portal import SignupPage, session_of
from tests.support.rivals import commits_meanwhile
from tests.support.rows import Rows
from tests.support.tokens import bearer

LOCKED = ["name", "email"]
TYPED = {"name": "Mallory", "email": "mallory@example.com", "currency": "USD"}


@pytest.fixture
def signed_up(app: Flask, client: FlaskClient) -> FlaskClient:
    """A browser that signed up by a hand-over with locked fields, and is not finished."""
    answer = HandoverPage(client, sign(make_secret(app), locked=LOCKED)).submit()
    assert answer.status_code == 303
    return client


def send(client: FlaskClient, *without: str, **typed: Any) -> TestResponse:
    """Open the form again, and send it with what is typed, whatever the page allows."""
    fields = HandoverPage(client).fields(**typed)
    fields = {name: value for name, value in fields.items() if name not in without}
    return client.post("/signup", data=fields)


def stored(rows: Rows) -> tuple[str, str | None, str | None, str | None]:
    [customer] = rows(Customer)
    return customer.name, customer.primary_email, customer.key, customer.currency


def test_is_told_to_operators(app: Flask, signed_up: FlaskClient, rows: Rows) -> None:
    assert signed_up
    page = Page.of(sign_in(app, "viewer").get(f"/operator/customers/{rows(Customer)[0].id}"))
    page.check()

    assert "Locked by your app email, key, name, subject keys" in page.text


def test_is_shown_as_such(signed_up: FlaskClient) -> None:
    page = SignupPage(signed_up).page
    page.check()

    locked = {name for name in ("name", "email", "key") if "readonly" in page.one(id=name).attributes}
    assert locked == {"name", "email", "key"}
    assert "readonly" not in page.one("select", id="currency").attributes


@pytest.mark.parametrize("without", [(), ("handover",)])
def test_is_not_changed_by_the_form(signed_up: FlaskClient, rows: Rows, without: tuple[str, ...]) -> None:
    answer = send(signed_up, *without, **TYPED, key="other-1", subject_keys=["other-2"])

    assert answer.status_code == 303
    assert stored(rows) == ("Ada Lovelace Ltd", "ada@example.com", "customer-42", "USD")
    assert rows(Customer)[0].subject_keys == ["meter-1", "meter-2"]


def test_stays_locked_when_the_form_is_shown_again(signed_up: FlaskClient, rows: Rows) -> None:
    answer = send(signed_up, **TYPED | {"currency": "no"})

    page = Page.of(answer)
    assert answer.status_code == 422
    assert page.one(id="email")["value"] == "ada@example.com"
    assert "readonly" in page.one(id="email").attributes


def test_shows_nothing_to_another_browser(app: Flask, signed_up: FlaskClient) -> None:
    fields, other = HandoverPage(signed_up).fields(currency="no"), app.test_client()
    fields["csrf_token"] = HandoverPage(other).fields()["csrf_token"]

    answer = other.post("/signup", data=fields | {"name": "Grace", "email": "grace@example.com"})

    page = Page.of(answer)
    assert answer.status_code == 422
    assert page.one(id="email")["value"] == "grace@example.com"
    assert "ada@example.com" not in answer.get_data(as_text=True)


def test_is_not_changed_by_the_tab_of_the_hand_over(app: Flask, client: FlaskClient, rows: Rows) -> None:
    page = HandoverPage(client, sign(make_secret(app), locked=LOCKED))
    assert page.submit().status_code == 303

    fields = {name: value for name, value in page.fields(**TYPED).items() if name != "handover"}
    client.post("/signup", data=fields)

    assert stored(rows)[:3] == ("Ada Lovelace Ltd", "ada@example.com", "customer-42")


def test_is_not_changed_on_the_billing_page(signed_up: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    simulator.save_card(session_of(send(signed_up)), "4242424242424242")
    assert signed_up.get("/return").status_code == 200
    [link] = [each for each in BillingPage(signed_up).page.all("a") if "/billing/details" in each["href"]]
    form = Page.of(signed_up.get(link["href"])).one("form", action="/billing/details")

    assert not form.all(name="name") + form.all(name="email")
    after(signed_up, press(signed_up, form, **TYPED))
    assert stored(rows)[:2] == ("Ada Lovelace Ltd", "ada@example.com")


def test_is_not_changed_by_who_sends_the_billing_form_at_that_moment(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    answer = HandoverPage(client, sign(make_secret(app), locked=["name"])).submit()
    simulator.save_card(session_of(answer), "4242424242424242")
    assert client.get("/return").status_code == 200
    [link] = [each for each in BillingPage(client).page.all("a") if "/billing/details" in each["href"]]
    form = Page.of(client.get(link["href"])).one("form", action="/billing/details")
    [customer] = rows(Customer)

    answer = commits_meanwhile(
        app,
        lambda session: customers.lock(session, customer.id, ["email"], made_at=utcnow()),
        lambda: press(client, form, **TYPED),
    )

    page = Page.of(answer)
    page.check()
    assert answer.status_code == 409
    assert not page.all(name="email")
    assert page.one(id="name")["value"] == TYPED["name"]
    assert stored(rows)[:2] == ("Ada Lovelace Ltd", "ada@example.com")


def test_the_newest_hand_over_decides(app: Flask, signed_up: FlaskClient, rows: Rows) -> None:
    before = rows(Customer)[0]

    HandoverPage(signed_up, sign(make_secret(app), locked=["currency"], iat=utcnow().timestamp())).press()

    [customer] = rows(Customer)
    assert customer.locked == ["currency", "key", "subject_keys"]
    assert customer.updated_at == before.updated_at


@pytest.mark.parametrize("is_dated", [False, True])
def test_an_older_hand_over_unlocks_nothing(
    *, is_dated: bool, app: Flask, signed_up: FlaskClient, rows: Rows
) -> None:
    secret = make_secret(app)
    older = sign(secret, locked=["currency"], iat=in_seconds(hours=-1) if is_dated else None)
    HandoverPage(signed_up, sign(secret, locked=["email"], iat=utcnow().timestamp())).press()

    HandoverPage(signed_up, older).press()

    assert rows(Customer)[0].locked == ["currency", "email", "key", "subject_keys"]


def test_a_hand_over_between_two_others_unlocks_nothing(app: Flask, client: FlaskClient, rows: Rows) -> None:
    secret, now = make_secret(app), utcnow().timestamp()
    tokens = [
        sign(secret, locked=[name], iat=now - age)
        for name, age in (("email", 4), ("name", 1), ("currency", 3), ("email", 2))
    ]
    HandoverPage(client, tokens[0]).submit()

    for token in tokens[1:]:
        HandoverPage(client, token).press()

    assert rows(Customer)[0].locked == ["currency", "email", "key", "name", "subject_keys"]


def test_what_an_earlier_release_locked_stays_until_the_second_hand_over(
    app: Flask, signed_up: FlaskClient, session: Session, rows: Rows
) -> None:
    session.execute(sa.update(Customer).values(locked_at=None))
    session.commit()
    locks = []

    for name in ("currency", "email"):
        token = sign(make_secret(app), locked=[name], iat=utcnow().timestamp())
        HandoverPage(signed_up, token).press()
        locks.append(rows(Customer)[0].locked)

    assert locks == [
        ["currency", "email", "key", "name", "subject_keys"],
        ["email", "key", "subject_keys"],
    ]


def test_hand_overs_of_the_api_say_when_they_were_made(
    app: Flask, signed_up: FlaskClient, rows: Rows
) -> None:
    body = CLAIMS | {"locked": ["currency"]}
    made = app.test_client().post("/api/v1/onboarding/handovers", json=body, headers=bearer(app, "write"))

    HandoverPage(signed_up, made.get_json()["url"].partition("handover=")[2]).press()

    assert rows(Customer)[0].locked == ["currency", "key", "subject_keys"]
