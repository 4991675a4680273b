"""An onboarding link shows who asks for a payment method, and for which customer.

A program that fetches it changes nothing; only a person's own action does. The token in it stays out of logs
and referrers.
"""

from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.web import logging
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.links import LATER, WANTED, LinkPage, find, kinds, revoke
from tests.support.logs import lines_of
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


def dump(app: Flask) -> dict[str, list[Any]]:
    """Everything that the database holds."""
    with app.app_context(), db.engine().connect() as connection:
        tables = db.Base.metadata.sorted_tables
        return {table.name: sorted(connection.execute(sa.select(table)).all(), key=str) for table in tables}


def test_shows_who_asks_for_whom_and_for_what(client: FlaskClient, path: str) -> None:
    page = LinkPage(client, path).page

    assert page.h1 == "Save a payment method"
    assert "Northwind Metering asks Ada Lovelace Ltd to save a card or bank account on Stripe" in page.text
    assert "Nothing is charged now" in page.text
    assert page.one("form")["action"] == path


def test_shows_no_more_than_the_name(client: FlaskClient, path: str, customer_id: str) -> None:
    page = LinkPage(client, path).page

    secrets = (WANTED["primary_email"], WANTED["key"], *WANTED["subject_keys"], customer_id)
    assert [secret for secret in secrets if secret in page.html] == []


@for_each("method", ["GET", "HEAD"])
@for_each(
    "headers",
    [
        {},
        {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch"},
        {"User-Agent": "Mozilla/5.0 (compatible; MailScanner/5)", "Referer": "https://mail.example.com/"},
    ],
)
def test_changes_nothing_when_a_program_fetches_it(
    app: Flask, path: str, calls: StripeCalls, method: str, headers: dict[str, str]
) -> None:
    before = dump(app)

    for cookies in (True, False):
        scanner = app.test_client(use_cookies=cookies)
        for _ in range(10):
            assert scanner.open(path, method=method, headers=headers).status_code == 200

    assert dump(app) == before
    assert calls.made == []


def test_works_for_the_person_after_many_scans(app: Flask, client: FlaskClient, path: str) -> None:
    scanner = app.test_client(use_cookies=False)
    for number in range(200):
        scanner.get(path, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"})

    answer = LinkPage(client, path).press()

    assert answer.status_code == 303


class TestOpened:
    """A movement of the hand tells a person from a program."""

    def test_is_noted_once(self, app: Flask, path: str, rows: Rows, clock: time_machine.Traveller) -> None:
        pages = [LinkPage(app.test_client(), path) for _ in range(2)]
        before = find(app, path).opened_at

        answers = [page.stir().status_code for page in pages]
        opened_at = find(app, path).opened_at
        clock.shift(LATER)
        pages[0].stir()

        assert answers == [204, 204]
        assert before is None
        assert find(app, path).opened_at == opened_at is not None
        assert kinds(rows) == ["link.created", "link.opened"]
        assert rows(Entry)[-1].actor == "visitor"

    def test_is_noted_with_the_button_too(
        self, client: FlaskClient, path: str, app: Flask, rows: Rows
    ) -> None:
        LinkPage(client, path).press()

        link = find(app, path)
        assert link.opened_at is not None
        assert link.used_at is not None
        assert link.uses == 1
        assert kinds(rows) == ["link.created", "link.opened", "link.used"]

    def test_is_not_asked_for_again(self, client: FlaskClient, path: str) -> None:
        LinkPage(client, path).stir()

        form = LinkPage(client, path).page.one("form")

        assert "data-opened" not in form.attributes

    def test_is_not_believed_without_the_token_of_the_page(self, app: Flask, path: str) -> None:
        before = dump(app)

        answers = [app.test_client().post(f"{path}/opened", data=data) for data in ({}, {"csrf_token": "x"})]

        assert [answer.status_code for answer in answers] == [400, 400]
        assert dump(app) == before

    def test_is_not_noted_of_a_link_that_does_not_work(
        self, app: Flask, client: FlaskClient, path: str
    ) -> None:
        page = LinkPage(client, path)
        revoke(app, path)
        before = dump(app)

        answers = [page.stir(), client.post("/start/unknown/opened", data=page.token)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert dump(app) == before

    def test_uses_are_told_again_after_a_while(
        self, client: FlaskClient, path: str, app: Flask, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        for _ in range(2):
            LinkPage(client, path).press()
        first = find(app, path)
        clock.shift(LATER)
        LinkPage(client, path).press()

        last = find(app, path)
        assert (first.uses, last.uses) == (2, 3)
        assert last.used_at == first.used_at is not None
        assert last.last_used_at != first.last_used_at
        assert kinds(rows).count("link.used") == 2


class TestWithoutTheTokenOfThePage:
    """A program that posts is given the page again, and the person who comes after it is not in its debt."""

    def test_changes_nothing_and_shows_the_page_again(
        self, app: Flask, path: str, calls: StripeCalls
    ) -> None:
        before = dump(app)

        answers = [
            app.test_client(use_cookies=False).post(path, data=data) for data in ({}, {"csrf_token": "x"})
        ]

        assert [answer.status_code for answer in answers] == [422, 422]
        page = Page.of(answers[0])
        assert "Please press the button again" in page.text
        assert "WANTED" not in page.html
        assert page.one("form")["action"] == path
        assert dump(app) == before
        assert calls.made == []

    def test_leads_on_at_the_next_click(self, app: Flask, path: str) -> None:
        browser = app.test_client()
        page = Page.of(browser.post(path))
        token = page.one("form").one("input")["value"]

        answer = browser.post(path, data={"csrf_token": token})

        assert answer.status_code == 303

    def test_never_leads_on_without_cookies_but_says_why(self, app: Flask, path: str) -> None:
        page = LinkPage(app.test_client(use_cookies=False), path)

        answers = [page.press().status_code for _ in range(3)]

        assert answers == [422] * 3
        assert "send our cookie" in page.page.text

    def test_over_https_asks_for_no_referrer(self, app: Flask, path: str) -> None:
        browser = app.test_client()
        token = LinkPage(browser, path).token

        answer = browser.post(
            path, data=token, base_url="http://localhost", headers={"X-Forwarded-Proto": "https"}
        )

        assert answer.status_code == 303


@for_each("suffix", ["", "/opened", "/", "/more"])
@for_each("method", ["GET", "POST", "PUT"])
def test_goes_to_nobody_as_a_referrer(client: FlaskClient, path: str, suffix: str, method: str) -> None:
    answer = client.open(path + suffix, method=method)

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Cache-Control"] == "no-store"


@for_each("suffix", ["", "/opened", "/", "/more", "?a=b", "."])
@for_each("before", ["", "/", "%2F", "%0a"])
def test_is_not_in_the_log(
    client: FlaskClient, path: str, suffix: str, before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = path.rsplit("/", 1)[-1]
    logging.configure(make_settings(log_level="DEBUG"))

    for method in ("GET", "POST", "PUT"):
        client.open(f"/start/{before}{token}{suffix}", method=method)
    client.get(f"/start/{before}{token[:-3]}{suffix}")  # as a mail program may cut it off

    text = capsys.readouterr().err
    assert len([line for line in lines_of(text) if line["event"] == "request"]) == 4
    assert token[:-3] not in text
    assert "/start/" in text


class TestWithABudget:
    """Looks and presses are counted by address."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_return="2 per hour")

    def test_ends_with_a_page_that_says_so(self, app: Flask, path: str) -> None:
        looks = [app.test_client().get(path) for _ in range(3)]
        presses = [app.test_client().post(path) for _ in range(3)]
        guesses = [app.test_client().post(f"/start/guess-{number}/opened") for number in range(3)]

        assert [answer.status_code for answer in looks] == [200, 200, 429]
        assert [answer.status_code for answer in presses] == [422, 422, 429]
        assert [answer.status_code for answer in guesses] == [404, 404, 429]
        Page.of(looks[2])
