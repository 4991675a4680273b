"""A single-use hand-over lets in one browser, to one customer."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.customers import Customer
from app.onboarding.handovers import HandoverUse
from tests.support.browser import Page
from tests.support.handovers import CLAIMS, HandoverPage, make_secret, sign
from tests.support.rows import Rows

NAMELESS = {name: value for name, value in CLAIMS.items() if name not in {"key", "subjectKeys"}}


@pytest.fixture
def token(app: Flask) -> str:
    """A single-use token without a key, so that only its use tells two sign-ups apart."""
    return sign(make_secret(app), NAMELESS, singleUse=True)


def test_is_used_by_the_form_alone(client: FlaskClient, token: str, rows: Rows) -> None:
    page = HandoverPage(client, token)
    before = rows(HandoverUse)

    page.submit()

    [use] = rows(HandoverUse)
    [customer] = rows(Customer)
    assert before == []
    assert use.customer_id == customer.id


def test_is_not_used_by_a_form_that_was_refused(
    app: Flask, client: FlaskClient, token: str, rows: Rows
) -> None:
    HandoverPage(app.test_client(), token).submit(name="")

    assert rows(HandoverUse) == []
    assert HandoverPage(client, token).submit().status_code == 303


def test_gives_no_second_browser_access(app: Flask, client: FlaskClient, token: str, rows: Rows) -> None:
    other = HandoverPage(app.test_client(), token)
    HandoverPage(client, token).submit()

    late = other.submit(name="Mallory")
    looked = HandoverPage(app.test_client(), token)

    assert (late.status_code, looked.answer.status_code) == (410, 410)
    assert "works only once" in Page.of(late).text
    assert "works only once" in looked.page.text
    assert len(rows(Customer)) == 1


def test_leads_its_own_browser_back_to_its_customer(client: FlaskClient, token: str, rows: Rows) -> None:
    HandoverPage(client, token).submit()

    again = HandoverPage(client, token)

    assert again.answer.status_code == 303
    assert again.answer.location == f"/return?customer={rows(Customer)[0].id}"


def test_takes_a_double_click_for_one(client: FlaskClient, token: str, rows: Rows) -> None:
    page = HandoverPage(client, token)

    answers = [page.submit(), page.submit(), page.submit(name="Ada Lovelace & Co")]

    assert {answer.status_code for answer in answers} == {303}
    assert [customer.name for customer in rows(Customer)] == ["Ada Lovelace & Co"]


def test_makes_no_second_customer_in_a_second_tab(client: FlaskClient, token: str, rows: Rows) -> None:
    first, second = HandoverPage(client, token), HandoverPage(client, token)

    answers = [first.submit(), second.submit(name="Somebody Else")]

    assert [answer.status_code for answer in answers] == [303, 410]
    assert len(rows(Customer)) == 1


def test_is_the_same_however_its_signature_is_spelt(app: Flask, client: FlaskClient, token: str) -> None:
    HandoverPage(client, token).submit()
    respelt = [
        token[:-1] + letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="
    ]

    statuses = {HandoverPage(app.test_client(), each).answer.status_code for each in [*respelt, token + "="]}

    assert statuses <= {404, 410}


def test_lets_one_of_many_browsers_in_at_once(app: Flask, token: str, rows: Rows) -> None:
    pages = [HandoverPage(app.test_client(), token) for _ in range(6)]

    with ThreadPoolExecutor(6) as threads:
        statuses = sorted(answer.status_code for answer in threads.map(lambda page: page.submit(), pages))

    assert statuses == [303, 410, 410, 410, 410, 410]
    assert len(rows(Customer)) == 1


def test_one_for_many_uses_makes_a_customer_each_time(app: Flask, rows: Rows) -> None:
    token = sign(make_secret(app), NAMELESS)

    for name in ("Ada", "Charles"):
        HandoverPage(app.test_client(), token).submit(name=name)

    assert sorted(customer.name for customer in rows(Customer)) == ["Ada", "Charles"]
    assert rows(HandoverUse) == []
