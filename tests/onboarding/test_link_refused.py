"""An onboarding link that is unknown, expired, revoked or out of date shows nothing of its customer and
changes nothing."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import payers
from app.core import db
from app.customers import Customer
from app.onboarding.models import Signup
from app.payers import Payer
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.links import WANTED, LinkPage, go_to_stripe, make_link, revoke
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls


def delete(app: Flask, customer_id: str) -> None:
    with app.app_context():
        session = db.session()
        db.start_write(session)
        customer = session.get(Customer, customer_id)
        assert customer is not None
        payers.delete_customer(session, customer, actor="operator:test")
        session.commit()


class TestThatDoesNotWork:
    """One calm page, which tells nothing of the customer."""

    def assert_calm(self, page: Page) -> None:
        assert WANTED["name"] not in page.html
        assert page.one("main").all("a", href="mailto:help@example.com")
        assert not page.all("form")

    def test_because_it_is_unknown_or_revoked_looks_alike(
        self, app: Flask, client: FlaskClient, path: str
    ) -> None:
        revoke(app, path)

        revoked, unknown = client.get(path), client.get("/start/" + "x" * 43)

        assert revoked.status_code == unknown.status_code == 404
        assert revoked.data == unknown.data
        self.assert_calm(Page.of(revoked))

    @pytest.mark.parametrize("token", ["x", "%00", "%ff", "%C3%A9", "a" * 3000, "..", "%2e%2e", "'--"])
    def test_because_it_was_made_up(self, client: FlaskClient, token: str) -> None:
        answer = client.get(f"/start/{token}")

        assert answer.status_code == 404
        Page.of(answer)

    def test_because_it_has_expired(
        self, app: Flask, client: FlaskClient, path: str, clock: time_machine.Traveller
    ) -> None:
        page = LinkPage(client, path)
        clock.shift(timedelta(days=31))

        answers = [client.get(path), client.post(path, data=page.token)]

        assert [answer.status_code for answer in answers] == [410, 410]
        assert Page.of(answers[0]).h1 == "This link has expired"
        self.assert_calm(Page.of(answers[1]))

    def test_because_the_customer_was_deleted(
        self, app: Flask, client: FlaskClient, path: str, customer_id: str, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        delete(app, customer_id)

        answers = [client.get(path), client.post(path, data=page.token)]

        assert [answer.status_code for answer in answers] == [404, 404]
        self.assert_calm(Page.of(answers[0]))
        assert calls.made == []

    def test_because_the_customer_is_deleted_at_this_moment(
        self, app: Flask, client: FlaskClient, path: str, customer_id: str, calls: StripeCalls, rows: Rows
    ) -> None:
        page = LinkPage(client, path)
        in_thread = ThreadPoolExecutor(1)
        calls.after("POST /v1/checkout/sessions", lambda: in_thread.submit(delete, app, customer_id).result())

        answer = page.press()

        in_thread.shutdown()
        assert answer.status_code == 404
        assert [payer.deleted_at is None for payer in rows(Payer)] == [False]
        assert rows(Signup) == []

    def test_because_it_was_revoked_after_it_was_shown(
        self, app: Flask, client: FlaskClient, path: str, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        revoke(app, path)

        answer = page.press()

        assert answer.status_code == 404
        assert calls.made == []


def test_that_is_revoked_takes_back_what_it_let_see(
    app: Flask, client: FlaskClient, path: str, simulator: Simulator
) -> None:
    simulator.save_card(go_to_stripe(client, path))
    before = client.get("/return").status_code

    revoke(app, path)

    assert before == 200
    assert client.get("/return").status_code == 404
    assert "Ada" not in Page.of(client.get("/cancelled")).text


def test_after_a_revoked_one_gives_the_same_browser_access_again(
    app: Flask, client: FlaskClient, path: str, customer_id: str
) -> None:
    go_to_stripe(client, path)
    revoke(app, path)

    go_to_stripe(client, make_link(app, customer_id))

    assert client.get("/return").status_code == 200
