"""The return page refreshes itself a few times while Stripe decides, asks Stripe once however many look,
and stays calm while Stripe is away."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import sync
from app.core import db
from app.core.config import Settings
from app.payers import Payer
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.portal import sign_up
from tests.support.return_page import DECLINED, look
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


def next_look(page: Page) -> tuple[int, str] | None:
    """When and where a browser without scripts looks again."""
    found = page.all("meta", http_equiv="refresh")
    if not found:
        return None
    seconds, _, url = found[0]["content"].partition(";")
    return int(seconds), url.strip().removeprefix("url=")


class TestWhileStripeIsAway:
    """What is known is shown, and said to be old."""

    def test_says_nothing_that_may_be_false_by_now(self, client: FlaskClient, simulator: Simulator) -> None:
        session_id = sign_up(client)
        simulator.save_card(session_id, "4000000000000002")
        assert look(client).h1 == "Your payment method wasn\u2019t saved"
        simulator.save_card(session_id)
        simulator.faults.add("reset", times=50)

        page = look(client)

        assert page.h1 == "We don\u2019t know yet"
        assert "declined" not in page.text
        assert "latest information" not in page.text
        assert page.all("form", action="/resume") == []
        assert "We couldn\u2019t check with Stripe just now" in page.text
        assert "4242" not in page.text

        simulator.faults.clear()
        assert look(client).h1 == "Your payment method is saved"

    def test_says_from_when_a_saved_card_is_known(self, client: FlaskClient, simulator: Simulator) -> None:
        with time_machine.travel(datetime(2026, 3, 4, 5, 6, tzinfo=UTC), tick=False) as clock:
            simulator.save_card(sign_up(client))
            look(client)
            clock.shift(timedelta(minutes=5))
            simulator.faults.add("503", times=50)

            page = look(client)

            assert page.h1 == "Your payment method is saved"
            assert "4 March 2026 at 05:06 UTC" in page.text

    def test_does_not_ask_at_once_again_when_the_state_is_final(
        self, client: FlaskClient, simulator: Simulator, calls: StripeCalls
    ) -> None:
        simulator.save_card(sign_up(client))
        look(client)
        calls.clear()
        simulator.faults.add("reset", times=50)

        page = look(client)

        assert "check with Stripe just now" not in page.text
        assert calls.made == []


def test_refreshes_itself_a_few_times_and_then_leaves_a_link(client: FlaskClient) -> None:
    sign_up(client)

    waits, path = [], "/return"
    for _ in range(20):
        page = look(client, path)
        coming = next_look(page)
        if coming is None:
            break
        waits.append(coming[0])
        path = coming[1]

    assert waits == [2, 3, 5, 10, 20, 30]
    assert page.one("main").all("a", class_="roomy")[0]["href"].startswith("/return")


@pytest.mark.parametrize("tries", ["-5", "nonsense", "99999999999999999999", "1e3"])
def test_is_not_confused_by_a_strange_count(client: FlaskClient, tries: str) -> None:
    sign_up(client)

    page = look(client, f"/return?n={tries}")

    assert page.h1 == "You haven\u2019t finished on Stripe yet"


def test_does_not_refresh_when_all_is_said(client: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(sign_up(client), DECLINED)

    page = look(client)

    assert next_look(page) is None


def test_shows_one_truth_to_ten_looks_at_once(
    app: Flask, client: FlaskClient, simulator: Simulator, calls: StripeCalls
) -> None:
    simulator.save_card(sign_up(client))
    cookie = client.get_cookie("gangway")
    assert cookie is not None
    calls.clear()

    def look_again(_number: int) -> str:
        browser = app.test_client()
        browser.set_cookie("gangway", cookie.value, domain="localhost")
        return look(browser).h1

    with ThreadPoolExecutor(10) as crowd:
        headings = set(crowd.map(look_again, range(10)))

    assert headings == {"Your payment method is saved"}
    assert len(calls.made) == 2


class TestWithABudget:
    """Looks are counted by address, because each may ask Stripe."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_return="3 per hour")

    def test_ends_with_a_page_that_says_so(self, client: FlaskClient) -> None:
        sign_up(client)

        answers = [client.get("/return") for _ in range(4)]

        assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
        assert Page.of(answers[3]).h1 == "Please wait a moment"


def test_asks_stripe_itself_when_whoever_did_was_killed(app: Flask, client: FlaskClient, rows: Rows) -> None:
    sign_up(client)
    with app.app_context():
        sync.claim(db.session(), rows(Payer)[0].id)

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2), tick=True):
        page = look(client)

    assert "You haven\u2019t finished on Stripe yet" in page.text
    assert "still checking" not in page.text
    assert "couldn\u2019t" not in page.text
