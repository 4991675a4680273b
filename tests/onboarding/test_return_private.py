"""The return page shows details only to the browser that signed up. A stranger with the same address sees
none of them."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import utcnow
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.portal import DETAILS, SignupPage, session_of, sign_up
from tests.support.return_page import look
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls

SECRETS = (
    DETAILS["name"],
    DETAILS["email"],
    DETAILS["key"],
    *DETAILS["subject_keys"],
    "cus_",
    "cs_test",
)


class TestToAStranger:
    """Another browser than the one that signed up learns nothing."""

    @pytest.fixture
    def address(self, client: FlaskClient, simulator: Simulator) -> str:
        """The address that Stripe leads back to, of somebody with a saved card."""
        opened = simulator.store.checkout_sessions[sign_up(client)]
        simulator.save_card(opened["id"])
        look(client)
        return str(opened["success_url"]).removeprefix("http://127.0.0.1:8000")

    def assert_tells_nothing(self, page: Page, rows: Rows, *, asked: str = "") -> None:
        """Look for all that must not be told. The links to other languages repeat what was asked."""
        secrets = (*SECRETS, rows(Payer)[0].id, rows(PaymentMethod)[0].id)
        told = page.html.replace(asked, "") if asked else page.html
        assert [secret for secret in secrets if secret in told] == []
        assert not page.tells("4242")

    def test_without_cookies(self, app: Flask, address: str, rows: Rows, calls: StripeCalls) -> None:
        answer = app.test_client(use_cookies=False).get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)
        assert calls.made == []

    def test_with_a_cookie_of_its_own(self, app: Flask, address: str, rows: Rows) -> None:
        stranger = app.test_client()
        stranger.get("/signup")

        answer = stranger.get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)

    def test_with_a_sign_up_of_its_own(self, app: Flask, address: str, rows: Rows) -> None:
        stranger = app.test_client()
        sign_up(stranger, name="Mallory", email="m@example.com", key="m", subject_keys=["m"])

        answer = stranger.get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)

    def test_with_a_forged_cookie(self, app: Flask, client: FlaskClient, address: str, rows: Rows) -> None:
        cookie = client.get_cookie("gangway")
        assert cookie is not None
        stranger = app.test_client()
        stranger.set_cookie("gangway", cookie.value[:-2] + "xx", domain="localhost")

        answer = stranger.get(address)

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows)

    @pytest.mark.parametrize("query", ["?customer=nobody", "?customer=" + "x" * 3000, "?customer=1%27--"])
    def test_answers_made_up_ids_alike(self, client: FlaskClient, address: str, query: str) -> None:
        real = client.application.test_client().get(address)

        made_up = client.get(f"/return{query}")

        assert made_up.status_code == real.status_code == 404
        assert Page.of(made_up).one("main").text == Page.of(real).one("main").text

    def test_the_session_id_opens_nothing(
        self, app: Flask, address: str, simulator: Simulator, rows: Rows
    ) -> None:
        [session_id] = simulator.store.checkout_sessions

        answer = app.test_client().get(f"/return?session_id={session_id}")

        assert answer.status_code == 404
        self.assert_tells_nothing(Page.of(answer), rows, asked=session_id)


def test_ends_with_its_cookie(client: FlaskClient, simulator: Simulator) -> None:
    with time_machine.travel(utcnow(), tick=True) as clock:
        simulator.save_card(sign_up(client))
        clock.shift(timedelta(days=91))

        answer = client.get("/return")

        assert answer.status_code == 404


def test_shows_the_sign_up_that_stripe_leads_back_to(client: FlaskClient, simulator: Simulator) -> None:
    first = simulator.store.checkout_sessions[sign_up(client)]
    second = SignupPage(client, "/signup?new=1").submit(name="Second", key="second", subject_keys=["second"])
    simulator.save_card(session_of(second), "5555555555554444")
    simulator.save_card(first["id"])

    of_first = look(client, first["success_url"].removeprefix("http://127.0.0.1:8000"))
    latest = look(client)

    assert "4242" in of_first.text
    assert "4444" in latest.text
