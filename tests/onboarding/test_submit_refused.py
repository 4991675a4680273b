"""A sign-up without its token, its nonce or a readable body stores nothing, and the visitor keeps what they
typed."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.checkout import CheckoutSession
from app.core.db import utcnow
from app.customers import Customer
from app.onboarding.models import Signup
from app.payers import Payer
from tests.support.browser import Page
from tests.support.portal import DETAILS, SignupPage
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


def assert_nothing_stored(rows: Rows) -> None:
    for table in (Customer, Payer, CheckoutSession, Signup):
        assert rows(table) == []


@pytest.mark.parametrize("token", ["", "nonsense", None])
def test_without_its_token_stores_nothing_and_keeps_what_was_typed(
    client: FlaskClient, rows: Rows, calls: StripeCalls, token: str | None
) -> None:
    form = SignupPage(client)
    fields = form.fields()
    fields["csrf_token"] = token
    if token is None:
        del fields["csrf_token"]

    answer = form.send(fields)

    assert answer.status_code == 422
    assert "send it again" in form.page.text
    assert form.page.value("name") == DETAILS["name"]
    assert form.page.values("subject_keys") == DETAILS["subject_keys"]
    assert_nothing_stored(rows)
    assert calls.made == []
    assert form.submit().status_code == 303


def test_from_elsewhere_without_a_cookie_stores_nothing(app: Flask, client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)
    elsewhere = SignupPage(app.test_client())
    stranger = app.test_client()

    answer = stranger.post("/signup", data=form.fields())

    page = Page.of(answer)
    assert answer.status_code == 422
    assert page.value("name") == DETAILS["name"]
    assert_nothing_stored(rows)
    assert elsewhere.send(form.fields()).status_code == 422


def test_without_cookies_at_all_never_gets_further_but_says_why(app: Flask, rows: Rows) -> None:
    stranger = app.test_client(use_cookies=False)
    form = SignupPage(stranger)

    answers = [form.submit() for _ in range(3)]

    assert [answer.status_code for answer in answers] == [422] * 3
    assert "did not send our cookie" in form.page.text
    assert form.page.value("name") == DETAILS["name"]
    assert_nothing_stored(rows)


@pytest.mark.parametrize("nonce", ["", "made-up", "x" * 5000])
def test_without_a_nonce_of_ours_stores_nothing_and_gets_one(
    client: FlaskClient, rows: Rows, nonce: str
) -> None:
    form = SignupPage(client)

    answer = form.submit(nonce=nonce)

    assert answer.status_code == 422
    assert "send it again" in form.page.text
    assert_nothing_stored(rows)
    assert form.submit().status_code == 303


def test_after_a_day_gets_a_fresh_form(client: FlaskClient, rows: Rows) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        form = SignupPage(client)
        clock.shift(timedelta(hours=21))

        answer = form.submit()

        assert answer.status_code == 422
        assert "open for a long time" in form.page.text
        assert_nothing_stored(rows)
        assert form.submit().status_code == 303


def test_of_more_than_64_kilobytes_is_refused(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)

    answer = form.send(form.fields(name="x" * 70_000))

    assert answer.status_code == 413
    assert "more than this page accepts" in Page.of(answer).text
    assert_nothing_stored(rows)


def test_in_two_parts_of_a_multipart_body_is_taken(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)

    answer = form.send(form.fields(), content_type="multipart/form-data")

    assert answer.status_code == 303


def test_with_five_hundred_parts_is_refused(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)

    answer = form.send(form.fields(subject_keys=["k"] * 501), content_type="multipart/form-data")

    assert answer.status_code == 413
    assert_nothing_stored(rows)


def test_never_shows_a_body_that_is_not_utf8(client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)
    body = (
        f"csrf_token={form.page.value('csrf_token')}&nonce={form.page.value('nonce')}&name=%ff%fe&email=%80"
    )

    answer = client.post("/signup", data=body, content_type="application/x-www-form-urlencoded")

    assert answer.status_code == 422
    assert Page.of(answer).error("email")
