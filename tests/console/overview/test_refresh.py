"""The overview refreshes itself. The numbers are counted again after some time, and a page that refreshes
itself keeps nobody logged in."""

import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.console.overview.funnel import SlowAnswers
from tests.support.browser import Page
from tests.support.console_overview import customer


class TestRemembering:
    """Numbers that took long to count are kept for a while."""

    def test_finds_again_what_took_no_time(self) -> None:
        counts = iter(range(9))
        slow_answers = SlowAnswers()

        assert [slow_answers.get("a", lambda: next(counts)) for _ in range(3)] == [0, 1, 2]

    def test_keeps_what_took_long_in_proportion(self, monkeypatch: pytest.MonkeyPatch) -> None:
        counts, ticks = iter(range(9)), [0.0]
        monkeypatch.setattr("time.monotonic", lambda: ticks[0])
        slow_answers = SlowAnswers(worth=0.2, times=30)

        def find() -> int:
            ticks[0] += 1.0
            return next(counts)

        found = [slow_answers.get("a", find), slow_answers.get("a", find), slow_answers.get("b", find)]
        ticks[0] += 28.5
        found.append(slow_answers.get("a", find))
        ticks[0] += 1.0
        found.append(slow_answers.get("a", find))

        assert found == [0, 0, 1, 0, 2]

    def test_is_asked_by_many_at_once(self) -> None:
        slow_answers, found = SlowAnswers(worth=0.0), []

        threads = [
            threading.Thread(target=lambda: found.append(slow_answers.get("a", lambda: 1))) for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert found == [1] * 8


def test_is_read_again_by_itself_at_its_own_address(app: Flask, console: FlaskClient) -> None:
    customer(app, "saved")

    page = Page.of(console.get("/operator/?span=7d"))

    assert page.one(id="live")["data-live"] == "/operator/?span=7d"


def test_that_reads_itself_again_keeps_nobody_logged_in(
    app: Flask, console: FlaskClient, clock: time_machine.Traveller
) -> None:
    customer(app, "saved")

    statuses = []
    for _ in range(4):
        clock.shift(timedelta(minutes=20))
        statuses.append(console.get("/operator/", headers={"X-Gangway-Live": "1"}).status_code)

    assert statuses == [200, 200, 303, 303]
