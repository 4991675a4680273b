"""Sign-ups that arrive at the same moment share one customer, or make one each. None is mixed up with
another."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.checkout import CheckoutSession
from app.customers import Customer
from app.payers import Payer
from app.simulator import Simulator
from tests.support.portal import SignupPage, client_cookie
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


def test_a_quicker_call_wins(
    client: FlaskClient, app: Flask, simulator: Simulator, rows: Rows, calls: StripeCalls
) -> None:
    form = SignupPage(client)
    fields = form.fields()
    twin = app.test_client()
    twin.set_cookie("gangway", client_cookie(client), domain="localhost")
    in_thread = ThreadPoolExecutor(1)
    calls.after(
        "POST /v1/checkout/sessions", lambda: in_thread.submit(twin.post, "/signup", data=fields).result()
    )

    answer = form.send(fields)

    in_thread.shutdown()
    assert answer.status_code == 303
    assert [page.url for page in rows(CheckoutSession)] == [answer.location]
    assert (
        len(rows(Customer)) == len(simulator.store.customers) == len(simulator.store.checkout_sessions) == 1
    )


@pytest.mark.parametrize("details", [{}, {"key": "", "subject_keys": [""]}], ids=["names", "no names"])
def test_many_times_at_once_makes_one_customer(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows, details: dict[str, Any]
) -> None:
    fields, cookie = SignupPage(client).fields(**details), client_cookie(client)

    def submit(_number: int) -> tuple[int, str]:
        browser = app.test_client()
        browser.set_cookie("gangway", cookie, domain="localhost")
        answer = browser.post("/signup", data=fields)
        return answer.status_code, answer.location

    with ThreadPoolExecutor(25) as crowd:
        answers = set(crowd.map(submit, range(25)))

    [opened], [customer] = rows(CheckoutSession), rows(Customer)
    later = f"/return?customer={customer.id}"  # for somebody who has waited long enough, on a busy machine
    assert (303, opened.url) in answers
    assert answers <= {(303, opened.url), (303, later)}
    assert (
        len(rows(Customer)) == len(simulator.store.customers) == len(simulator.store.checkout_sessions) == 1
    )


def test_twenty_different_ones_at_once_make_twenty_customers(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    def submit(number: int) -> int:
        form = SignupPage(app.test_client())
        return form.submit(key=f"k{number}", subject_keys=[f"s{number}"]).status_code

    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(submit, range(20)))

    assert answers == [303] * 20
    assert len(rows(Customer)) == len(simulator.store.customers) == 20


def test_of_twenty_strangers_who_want_one_name_one_gets_it(
    app: Flask, client: FlaskClient, rows: Rows
) -> None:
    def submit(number: int) -> int:
        return SignupPage(app.test_client()).submit(key=f"k{number}", subject_keys=["wanted"]).status_code

    with ThreadPoolExecutor(20) as crowd:
        answers = sorted(crowd.map(submit, range(20)))

    assert answers == [303] + [422] * 19
    assert len(rows(Customer)) == len(rows(Payer)) == len(rows(CheckoutSession)) == 1
