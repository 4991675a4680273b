"""An onboarding link survives an outage at Stripe: the person reads a calm page, and can try again."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from app.audit import Entry
from app.checkout import CheckoutSession
from app.onboarding.links import OnboardingLink
from app.onboarding.models import Signup
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.support.links import WANTED, LinkPage, bind_newest, make_customer, make_link
from tests.support.portal import session_of
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls

MANY = 50  # more than the SDK tries


class TestWhileStripeIsInTrouble:
    """The customer stays as it was, and the link still works."""

    @pytest.mark.parametrize("route", ["POST /v1/customers", "POST /v1/checkout/sessions"])
    @pytest.mark.parametrize("kind", ["503", "timeout_after"])
    def test_says_what_to_do_and_works_later(
        self, client: FlaskClient, path: str, simulator: Simulator, rows: Rows, kind: str, route: str
    ) -> None:
        page = LinkPage(client, path)
        simulator.faults.add(kind, route, times=MANY)

        answer = page.press()

        assert answer.status_code == 503
        assert "We can’t open the payment page right now" in page.page.text
        assert "Try again in a few minutes" in page.page.text
        assert [row.stripe_session_id for row in rows(CheckoutSession)] == [None]
        assert rows(Signup) == []
        assert [link.uses for link in rows(OnboardingLink)] == [1]

        simulator.faults.clear()
        assert page.press().status_code == 303
        assert len(simulator.store.customers) == len(simulator.store.checkout_sessions) == 1

    def test_with_a_key_that_was_taken_back_tells_the_operator(
        self, client: FlaskClient, path: str, simulator: Simulator, rows: Rows
    ) -> None:
        page = LinkPage(client, path)
        simulator.store.keys.pop(DEFAULT_API_KEY)

        answer = page.press()

        assert answer.status_code == 503
        assert "sk_test" not in page.page.html
        assert [app.status for app in rows(App)] == ["unauthorized"]

    def test_tells_the_operator_and_not_the_visitor_what_stripe_refuses(
        self, client: FlaskClient, path: str, rows: Rows, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        words = f"Invalid email address: {WANTED['primary_email']}"
        refusal = {
            "type": "invalid_request_error",
            "code": "email_invalid",
            "param": "email",
            "message": words,
        }
        calls.refusals["POST /v1/customers"] = refusal

        answer = page.press()

        assert answer.status_code == 400
        assert "accept the details we have for you" in page.page.text
        assert WANTED["primary_email"] not in page.page.html
        [told] = [entry for entry in rows(Entry) if entry.kind == "checkout.refused"]
        assert told.facts["reason"] == words

    def test_without_an_installed_app_says_that_payments_are_away(self, bare_app: Flask) -> None:
        path = make_link(bare_app, make_customer(bare_app))

        answer = LinkPage(bare_app.test_client(), path).press()

        assert answer.status_code == 503

    def test_leaves_its_stripe_customer_to_another_who_was_given_it(
        self, app: Flask, client: FlaskClient, path: str, simulator: Simulator, calls: StripeCalls
    ) -> None:
        other = make_customer(app, key="other", subject_keys=("other",))
        calls.after("POST /v1/customers", lambda: bind_newest(app, simulator, other))

        opened = session_of(LinkPage(client, path).press())

        _, own = simulator.store.customers
        assert simulator.store.checkout_sessions[opened]["customer"] == own

    def test_asks_to_press_again_when_another_is_given_each_of_its_stripe_customers(
        self, app: Flask, client: FlaskClient, path: str, simulator: Simulator, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        other = make_customer(app, key="other", subject_keys=("other",))

        def give_away() -> None:
            bind_newest(app, simulator, other)
            calls.after("POST /v1/customers", give_away)

        calls.after("POST /v1/customers", give_away)

        answer = page.press()

        assert answer.status_code == 409
        assert "Please press the button again" in page.page.text
