"""An address may send few sign-ups in a minute. The limit is shared by all processes, and counts visitors
behind a proxy apart."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app.core.config import Settings
from app.core.db import utcnow
from app.customers import Customer
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.portal import SignupPage, sign_up
from tests.support.processes import free_port
from tests.support.rows import Rows


class TestWithABudget:
    """Sign-ups from one address are counted."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_signup="2 per hour")

    def test_ends_with_a_page_that_says_so(self, app: Flask, rows: Rows) -> None:
        forms = [SignupPage(app.test_client()) for _ in range(3)]

        answers = [form.submit(key=f"k{n}", subject_keys=[f"s{n}"]) for n, form in enumerate(forms)]

        assert [answer.status_code for answer in answers] == [303, 303, 429]
        assert "Try again in" in Page.of(answers[2]).text
        assert len(rows(Customer)) == 2

    def test_starts_again_after_its_time(self, app: Flask) -> None:
        with time_machine.travel(utcnow(), tick=True) as clock:
            for number in range(2):
                sign_up(app.test_client(), key=f"k{number}", subject_keys=[f"s{number}"])
            clock.shift(timedelta(hours=2))

            sign_up(app.test_client(), key="k3", subject_keys=["s3"])

    def test_does_not_count_repeats_of_one_form(self, app: Flask) -> None:
        form = SignupPage(app.test_client())

        answers = [form.submit() for _ in range(5)]

        assert [answer.status_code for answer in answers] == [303] * 5
        sign_up(app.test_client(), key="k", subject_keys=["s"])

    def test_does_not_count_what_is_refused_beside_its_fields(self, app: Flask) -> None:
        form = SignupPage(app.test_client())

        answers = [form.submit(email="") for _ in range(5)]

        assert [answer.status_code for answer in answers] == [422] * 5
        assert form.submit().status_code == 303

    def test_counts_guesses_at_taken_names(self, app: Flask) -> None:
        sign_up(app.test_client())
        form = SignupPage(app.test_client())

        answers = [form.submit(key=f"guess-{number}").status_code for number in range(3)]

        assert answers == [422, 429, 429]

    def test_counts_by_address(self, app: Flask) -> None:
        for number in range(2):
            sign_up(app.test_client(), key=f"k{number}", subject_keys=[f"s{number}"])
        form = SignupPage(app.test_client())

        answer = form.send(form.fields(), environ_base={"REMOTE_ADDR": "192.0.2.7"})

        assert answer.status_code == 303

    def test_believes_no_forwarded_address(self, app: Flask) -> None:
        for number in range(2):
            sign_up(app.test_client(), key=f"k{number}", subject_keys=[f"s{number}"])
        form = SignupPage(app.test_client())

        answer = form.send(form.fields(), headers={"X-Forwarded-For": "192.0.2.7"})

        assert answer.status_code == 429


@pytest.mark.own_app
class TestWithoutTheSharedCount:
    """When the place where sign-ups are counted is away, each process counts for itself."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        storage = f"redis://127.0.0.1:{free_port()}"
        return make_settings(
            database_url=database_url, rate_limit_signup="2 per hour", rate_limit_storage=storage
        )

    def test_continues_and_is_counted(self, app: Flask) -> None:
        forms = [SignupPage(app.test_client()) for _ in range(3)]

        answers = [form.submit(key=f"k{n}", subject_keys=[f"s{n}"]) for n, form in enumerate(forms)]

        assert [answer.status_code for answer in answers] == [303, 303, 429]


class TestBehindAProxy:
    """The proxy's word for who asks is taken, and the visitor's own is not."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_signup="1 per hour", trusted_proxies=1)

    def test_counts_by_the_address_that_the_proxy_names(self, app: Flask) -> None:
        answers = []
        for number, forwarded in enumerate(("192.0.2.7", "192.0.2.8", "203.0.113.9, 192.0.2.8")):
            form = SignupPage(app.test_client())
            fields = form.fields(key=f"k{number}", subject_keys=[f"s{number}"])
            answers.append(form.send(fields, headers={"X-Forwarded-For": forwarded}).status_code)

        assert answers == [303, 303, 429]
