"""When its customer has a payment method, an onboarding link says so and offers to replace it."""

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.payers import PaymentMethod
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.links import LATER, SAVED, LinkPage, go_to_stripe, make_customer, make_link
from tests.support.portal import session_of
from tests.support.rows import Rows


class TestWhenAllIsDone:
    """A link shows that a method is saved. Which one, it shows only to a browser that was there."""

    @pytest.fixture
    def saver(self, client: FlaskClient, path: str, simulator: Simulator) -> FlaskClient:
        """The browser in which the card was saved."""
        simulator.save_card(go_to_stripe(client, path))
        client.get("/return")
        return client

    def test_says_so_and_shows_nobody_else_the_card(self, app: Flask, saver: FlaskClient, path: str) -> None:
        page = LinkPage(app.test_client(), path).page

        assert page.h1 == "You\u2019re all set"
        assert "A payment method is saved for Ada Lovelace Ltd" in page.text
        assert not page.tells("4242")
        assert not page.one("main").all("a")

    def test_shows_the_last_digits_where_it_was_saved(self, saver: FlaskClient, path: str) -> None:
        page = LinkPage(saver, path).page

        assert "Visa •••• 4242" in page.text.replace("\xa0", " ")
        assert page.one("main").all("a")[0]["href"].startswith("/return")

    def test_binds_nobody_who_presses_a_button_of_before(
        self, app: Flask, client: FlaskClient, path: str, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        late = LinkPage(app.test_client(), path)
        session_id = go_to_stripe(client, path)
        clock.shift(LATER)
        simulator.save_card(session_id)

        answer = late.press()

        assert (answer.status_code, answer.location) == (303, path)
        again = Page.of(late._client.get(path))
        assert again.h1 == "You\u2019re all set"
        assert not again.tells("4242")
        assert late._client.get("/return").status_code == 404
        assert len(simulator.store.checkout_sessions) == 1

    def test_leads_whoever_was_there_to_the_card(
        self, client: FlaskClient, path: str, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        page = LinkPage(client, path)
        simulator.save_card(session_of(page.press()))
        clock.shift(LATER)

        answer = client.post(path, data=page.token)

        assert answer.status_code == 303
        assert Page.of(client.get(answer.location)).h1 == SAVED

    def test_waits_for_micro_deposits(
        self, app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        path = make_link(app, make_customer(app, key="us", subject_keys=("us",), currency="USD"))
        simulator.pay_by_bank(go_to_stripe(client, path), verify="later")
        client.get("/return")

        page = LinkPage(app.test_client(), path).page

        assert page.h1 == "Waiting for the bank"

    def test_leads_on_when_stripe_says_otherwise_by_now(
        self,
        app: Flask,
        saver: FlaskClient,
        path: str,
        simulator: Simulator,
        clock: time_machine.Traveller,
        rows: Rows,
    ) -> None:
        page = LinkPage(app.test_client(), path)
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(LATER)

        answer = page.press()

        assert page.page.h1 == "You\u2019re all set"
        assert simulator.store.checkout_sessions[session_of(answer)]["status"] == "open"

    def test_leads_on_again_when_the_card_was_removed(
        self,
        app: Flask,
        saver: FlaskClient,
        path: str,
        simulator: Simulator,
        clock: time_machine.Traveller,
        rows: Rows,
    ) -> None:
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(LATER)
        saver.get("/return")

        second = go_to_stripe(app.test_client(), path)

        assert simulator.store.checkout_sessions[second]["status"] == "open"
