"""Where a profile says so, nobody signs up without a link, or gets to Stripe before an operator approves."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.customers import Customer
from app.simulator import Simulator
from tests.onboarding.conftest import Publish
from tests.support.billing import BillingPage
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import post, sign_in
from tests.support.links import make_link
from tests.support.portal import SignupPage, resume
from tests.support.rows import Rows
from tests.support.tokens import bearer


def test_without_a_link_a_closed_form_stores_nothing(
    publish: Publish, client: FlaskClient, rows: Rows
) -> None:
    page = SignupPage(client)
    publish(sign_up="links")

    assert "Ask for a link to sign up" in Page.of(client.get("/signup")).text
    assert page.submit().status_code == 403
    assert rows(Customer) == []


class TestApproval:
    @pytest.fixture
    def waiting(self, publish: Publish, client: FlaskClient, rows: Rows) -> str:
        """Somebody who has signed up and waits."""
        publish(sign_up="approval")
        assert SignupPage(client).submit().status_code == 303
        [customer] = rows(Customer)
        return str(customer.id)

    def test_keeps_the_details_and_stripe_closed(
        self, client: FlaskClient, waiting: str, simulator: Simulator, app: Flask
    ) -> None:
        page = Page.of(client.get(f"/return?customer={waiting}"))

        assert "Your details are waiting for approval" in page.text
        assert client.get("/signup").location == f"/return?customer={waiting}"
        assert len(simulator.store.customers) == 0
        assert client.get("/cancelled").location == f"/return?customer={waiting}"
        overview = Page.of(sign_in(app, "viewer").get("/operator/"))
        assert "Sign-ups waiting for approval" in overview.text

    def test_the_person_continues_once_approved(
        self, client: FlaskClient, waiting: str, app: Flask, simulator: Simulator, rows: Rows
    ) -> None:
        path = f"/operator/customers/{waiting}"
        operator = sign_in(app, "operator")
        assert "Waits for approval" in Page.of(operator.get(path)).text

        post(operator, f"{path}/approve")

        assert resume(client, f"/return?customer={waiting}").status_code == 303
        assert len(simulator.store.checkout_sessions) == 1
        assert [each.kind for each in rows(Entry) if each.kind.startswith("signup.")] == ["signup.approved"]
        post(operator, f"{path}/decline")
        assert "Somebody has already decided about this sign-up." in Page.of(operator.get(path)).text

    def test_a_declined_one_is_told_and_may_be_approved_later(
        self, client: FlaskClient, waiting: str, app: Flask, rows: Rows
    ) -> None:
        path = f"/operator/customers/{waiting}"
        operator = sign_in(app, "operator")

        post(operator, f"{path}/decline")

        page = Page.of(client.get(f"/return?customer={waiting}"))
        assert "Your sign-up was not approved" in page.text
        assert "Sign-up declined" in Page.of(operator.get(path)).text
        assert post(operator, f"{path}/approve").status_code == 303
        decisions = [each.kind for each in rows(Entry) if each.kind.startswith("signup.")]
        assert decisions == ["signup.declined", "signup.approved"]

    @for_each(("decision", "said"), [(None, "waiting for approval"), ("decline", "was not approved")])
    def test_the_billing_page_says_so_and_offers_no_button(
        self, client: FlaskClient, waiting: str, app: Flask, decision: str | None, said: str
    ) -> None:
        if decision:
            post(sign_in(app, "operator"), f"/operator/customers/{waiting}/{decision}")

        page = BillingPage(client)

        assert said in page.text
        assert page.page.all("form", action="/resume") == []

    def test_neither_a_button_nor_a_link_opens_stripe(
        self, client: FlaskClient, waiting: str, app: Flask, simulator: Simulator
    ) -> None:
        token = Page.of(client.get(f"/return?customer={waiting}")).one("input", name="csrf_token")["value"]
        link = make_link(app, waiting)
        form = Page.of(client.get(link)).one("form", id="go-on")

        pressed = client.post("/resume", data={"csrf_token": token, "customer": waiting})
        followed = client.post(link, data={"csrf_token": form.one("input", name="csrf_token")["value"]})

        assert pressed.location == f"/return?customer={waiting}"
        assert followed.status_code == 403
        assert "is waiting for approval" in Page.of(followed).text
        assert len(simulator.store.checkout_sessions) == 0

    @for_each("decision", [None, "decline", "approve"])
    def test_a_program_opens_stripe_for_an_approved_one_alone(
        self, client: FlaskClient, waiting: str, app: Flask, simulator: Simulator, decision: str | None
    ) -> None:
        if decision:
            post(sign_in(app, "operator"), f"/operator/customers/{waiting}/{decision}")

        answer = client.post(
            "/api/v1/stripe/checkout/sessions",
            json={"customer": {"id": waiting}, "options": {"successURL": "https://example.com/success"}},
            headers=bearer(app),
        )

        is_approved = decision == "approve"
        assert answer.status_code == (201 if is_approved else 412)
        assert ("has not approved" in answer.get_json().get("detail", "")) is not is_approved
        assert len(simulator.store.customers) == (1 if is_approved else 0)
