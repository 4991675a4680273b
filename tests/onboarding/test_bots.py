"""Programs that fill in the form must try again; people, and those who hear the page, notice nothing."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core.config import Settings
from app.core.db import utcnow
from app.customers import Customer
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.portal import SignupPage
from tests.support.rows import Rows


def send(app: Flask, number: int, *, after: int = 0) -> int:
    """Sign up so many seconds after the form was drawn; the status."""
    with time_machine.travel(utcnow(), tick=True) as clock:
        form = SignupPage(app.test_client())
        clock.shift(timedelta(seconds=after))
        return form.submit(key=f"k{number}", subject_keys=[f"s{number}"]).status_code


class TestDecoy:
    """The field that people don't see."""

    def test_is_hidden_from_eyes_ears_and_keys(self, client: FlaskClient) -> None:
        field = SignupPage(client).page.one("input", name="homepage")

        assert (field["tabindex"], field["autocomplete"], field.get("value")) == ("-1", "off", "")
        [around] = list(Page.of(client.get("/signup")).all("div", aria_hidden="true"))
        assert "Leave this empty" in around.text

    def test_who_fills_it_in_is_asked_to_try_again(self, client: FlaskClient, rows: Rows) -> None:
        form = SignupPage(client)

        assert form.submit(homepage="https://spam.example").status_code == 422
        assert "Please send it again" in form.page.text
        assert rows(Customer) == []
        assert form.submit().status_code == 303  # what was typed is still there, and the field is empty again


class TestWithoutDecoy:
    """The setting turns it off."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, signup_decoy=False)

    def test_is_not_there(self, client: FlaskClient) -> None:
        form = SignupPage(client)

        assert form.page.all("input", name="homepage") == []
        assert form.submit(homepage="https://spam.example").status_code == 303


class TestLeastTime:
    """A form takes a person some seconds."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_signup="8 per hour")

    def test_the_first_few_may_be_quick(self, app: Flask) -> None:
        assert [send(app, number) for number in range(6)] == [303] * 5 + [422]

    def test_who_takes_time_is_never_asked(self, app: Flask, rows: Rows) -> None:
        for number in range(6):
            send(app, number)

        assert send(app, 6, after=3) == 303
        assert len(rows(Customer)) == 6

    def test_a_form_that_is_sent_again_a_little_later_is_taken(self, app: Flask) -> None:
        for number in range(5):
            send(app, number)
        with time_machine.travel(utcnow(), tick=True) as clock:
            form = SignupPage(app.test_client())
            assert form.submit().status_code == 422
            clock.shift(timedelta(seconds=3))

            assert form.submit().status_code == 303


class TestWithoutLeastTime:
    """The setting turns it off."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_signup="8 per hour", signup_min_seconds=0)

    def test_all_may_be_quick(self, app: Flask) -> None:
        assert [send(app, number) for number in range(8)] == [303] * 8
