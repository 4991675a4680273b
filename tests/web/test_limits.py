"""Limits count a request before its work, say when to come back, and survive a Redis that hangs."""

import math
import os
import shutil
import signal
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core import db
from app.core.config import Settings
from app.simulator import Simulator
from app.web import limits
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.links import LinkPage, make_customer, make_link
from tests.support.numbers import read
from tests.support.portal import SignupPage
from tests.support.processes import PROCESS_MARKS, Program, free_port, start, wait_until
from tests.support.tokens import bearer


class TestWhenItIsOver:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(
            database_url=database_url,
            rate_limit_signup="5 per hour",
            rate_limit_return="2 per minute",
            rate_limit_api="3 per hour",
            rate_limit_bad_token="2 per hour",
            trusted_proxies=1,
        )

    def test_many_at_once_do_not_pass_together(self, app: Flask) -> None:
        forms = [SignupPage(app.test_client()) for _ in range(16)]

        def send(number: int) -> int:
            return forms[number].submit(key=f"k{number}", subject_keys=[f"s{number}"]).status_code

        with ThreadPoolExecutor(16) as threads:
            statuses = sorted(threads.map(send, range(16)))

        assert statuses == [303] * 5 + [429] * 11

    def test_the_page_says_when_to_come_back_and_has_a_button(self, client: FlaskClient) -> None:
        answer = [client.get("/return?customer=x") for _ in range(3)][-1]

        page = Page.of(answer)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert page.h1 == "Please wait a moment"
        assert "Try again in " in page.text
        assert "seconds" in page.text
        assert link(page) == "/return?customer=x"

    def test_a_form_leads_back_to_its_page(self, app: Flask) -> None:
        forms = [SignupPage(app.test_client()) for _ in range(6)]

        answer = [form.submit(key=f"k{n}", subject_keys=[f"s{n}"]) for n, form in enumerate(forms)][-1]

        assert answer.status_code == 429
        assert link(Page.of(answer)) == "/signup"
        assert "Try again in 1 hour" in Page.of(answer).text or "minutes" in Page.of(answer).text

    def test_a_new_port_makes_no_new_visitor(self, client: FlaskClient) -> None:
        statuses = [
            client.get("/return", headers={"X-Forwarded-For": f"198.51.100.8:{40000 + n}"}).status_code
            for n in range(4)
        ]

        assert statuses == [404, 404, 429, 429]

    def test_a_token_has_a_budget(self, app: Flask, client: FlaskClient) -> None:
        headers, others = bearer(app), bearer(app)

        answers = [client.get("/api/v1/customers", headers=headers) for _ in range(5)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].content_type == "application/problem+json"
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert "Try again in" in answers[-1].get_json()["detail"]
        assert client.get("/api/v1/customers", headers=others).status_code == 200

    def test_what_fails_by_our_fault_costs_nothing(
        self, app: Flask, client: FlaskClient, simulator: Simulator
    ) -> None:
        page = LinkPage(client, make_link(app, make_customer(app)))
        simulator.faults.add("503", times=50)

        statuses = [page.press().status_code for _ in range(3)]

        assert statuses == [503] * 3

    def test_a_token_does_not_pay_for_our_fault(self, app: Flask, client: FlaskClient) -> None:
        headers = bearer(app)
        with app.app_context():
            session = db.session()
            session.execute(sa.text("ALTER TABLE customer_count RENAME TO away"))
            session.commit()

            statuses = [client.get("/api/v1/customers", headers=headers).status_code for _ in range(4)]

            session.execute(sa.text("ALTER TABLE away RENAME TO customer_count"))
            session.commit()
        assert set(statuses) <= {500, 503}
        assert client.get("/api/v1/customers", headers=headers).status_code == 200

    def test_bad_tokens_have_a_budget_for_each_address(self, app: Flask, client: FlaskClient) -> None:
        bad = {"Authorization": "Bearer wrong"}

        answers = [client.get("/api/v1/customers", headers=bad) for _ in range(3)]
        elsewhere = client.get("/api/v1/customers", headers=bad | {"X-Forwarded-For": "192.0.2.9"})

        assert [answer.status_code for answer in answers] == [401, 401, 429]
        assert "Retry-After" in answers[-1].headers
        assert elsewhere.status_code == 401
        assert client.get("/api/v1/customers", headers=bearer(app)).status_code == 200


def test_a_count_starts_no_thread() -> None:
    storage = limits.OwnStorage()
    before = storage.timer

    storage.incr("somebody", 60)

    assert storage.timer is before


def test_counts_that_are_over_are_forgotten(clock: time_machine.Traveller) -> None:
    storage = limits.OwnStorage()
    for number in range(5):
        storage.incr(f"visitor {number}", 30)
    storage.incr("somebody who was here often", 3600)
    clock.shift(limits.SWEEP_INTERVAL + 1)

    storage.incr("somebody new", 30)

    assert storage.storage == {"somebody who was here often": 1, "somebody new": 1}


def test_nobody_counts_while_a_count_is_read_or_forgotten() -> None:
    class Watched(dict[str, float]):
        def get(self, *arguments: Any) -> Any:
            held.append(storage._counting.locked())
            return super().get(*arguments)

        def pop(self, *arguments: Any) -> Any:
            held.append(storage._counting.locked())
            return super().pop(*arguments)

    held: list[bool] = []
    storage = limits.OwnStorage()
    storage.expirations = Watched()
    storage.incr("somebody", 30)

    assert storage.get("somebody") == 1
    storage.clear("somebody")
    assert storage.get("somebody") == 0

    assert len(held) > 3
    assert all(held)


def test_a_count_starts_again_when_it_is_over(clock: time_machine.Traveller) -> None:
    storage = limits.OwnStorage()
    assert [storage.incr("somebody", 30) for _ in range(2)] == [1, 2]

    clock.shift(31)

    assert storage.incr("somebody", 30) == 1


def test_threads_count_together(app: Flask) -> None:
    counts = limits.Limits("memory://")

    with ThreadPoolExecutor(8) as threads:
        for _ in range(100):
            for done in [threads.submit(counts.spend, "800 per hour", "somebody") for _ in range(8)]:
                done.result()

    with app.test_request_context(), pytest.raises(limits.TooMany):
        counts.spend("800 per hour", "somebody")


@pytest.mark.parametrize(
    ("seconds", "said"), [(1, "1 second"), (90, "90 seconds"), (91, "2 minutes"), (5401, "2 hours")]
)
def test_say_for_how_long_to_wait(app: Flask, seconds: int, said: str) -> None:
    with app.test_request_context():
        assert limits.duration(seconds) == said


class TestEverybodyTogether:
    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(
            database_url=database_url, rate_limit_signup_total="2 per hour", trusted_proxies=1
        )

    def test_sign_ups_have_a_ceiling(self, app: Flask) -> None:
        statuses = []
        for number in range(3):
            form = SignupPage(app.test_client())
            fields = form.fields(key=f"k{number}", subject_keys=[f"s{number}"])
            answer = form.send(fields, headers={"X-Forwarded-For": f"192.0.2.{number}"})
            statuses.append(answer.status_code)

        assert statuses == [303, 303, 429]


@pytest.mark.own_app
class TestSilentRedis:
    """Something accepts connections and never answers, as a frozen Redis does."""

    @pytest.fixture
    def silent(self) -> Iterator[socket.socket]:
        with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
            yield server

    @pytest.fixture
    def settings(self, database_url: str, silent: socket.socket) -> Settings:
        storage = f"redis://127.0.0.1:{silent.getsockname()[1]}"
        return make_settings(
            database_url=database_url, rate_limit_signup="2 per hour", rate_limit_storage=storage
        )

    def test_everything_works_and_is_counted(self, app: Flask, client: FlaskClient) -> None:
        forms = [SignupPage(app.test_client()) for _ in range(3)]
        answers = [form.submit(key=f"k{n}", subject_keys=[f"s{n}"]) for n, form in enumerate(forms)]
        numbers = read(client.get("/metrics").get_data(as_text=True))

        assert [answer.status_code for answer in answers] == [303, 303, 429]
        assert numbers["gangway_rate_limits_per_process"] == 1

    def test_it_is_asked_once_for_many_requests(
        self, app: Flask, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "RETRY_INTERVAL", math.inf)  # however busy the machine is
        with app.app_context():
            for number in range(5):
                limits.current().spend("1 per hour", str(number))

        assert _connections(silent) == 1


class TestRedis:
    pytestmark = PROCESS_MARKS

    @pytest.fixture
    def redis(self, tmp_path: Path) -> Iterator[tuple[Program, int]]:
        program = shutil.which("redis-server")
        if program is None:
            pytest.skip("needs Debian's redis-server")
        port = free_port()
        options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
        with start(program, *options) as server:
            server.wait_until(lambda: _accepts(port))
            yield server, port

    def test_is_shared_until_it_freezes_and_again_when_it_is_back(
        self, app: Flask, redis: tuple[Program, int]
    ) -> None:
        server, port = redis
        with app.test_request_context():
            one, other = (limits.Limits(f"redis://127.0.0.1:{port}") for _ in range(2))
            spent = one.spend("2 per hour", "x")
            other.spend("2 per hour", "x")
            with pytest.raises(limits.TooMany):
                one.spend("2 per hour", "x")
            spent.give_back()
            other.spend("2 per hour", "x")

            os.kill(server.process.pid, signal.SIGSTOP)
            for number in range(20):
                one.spend("1 per hour", str(number))
            was_shared = one.check()
            os.kill(server.process.pid, signal.SIGCONT)
            wait_until(one.check)

            with pytest.raises(limits.TooMany):
                one.spend("2 per hour", "x")

        assert not was_shared


def link(page: Page) -> str:
    return next(found["href"] for found in page.all("a") if found.text == "Try again")


def _connections(server: socket.socket) -> int:
    """How many wait for this server to accept them."""
    server.settimeout(0)
    found = 0
    while True:
        try:
            server.accept()[0].close()
        except BlockingIOError:
            return found
        found += 1


def _accepts(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port)):
        return True
