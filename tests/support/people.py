"""The people and programs of the tests: they act at the portal and at Stripe, as their users do.

A `Person` has a browser. They fill in the sign-up form, type a card on Stripe's page and come back. The
properties tell what the portal's database and Stripe's store hold about them at that moment. A `Program`
does the same for its own customers over the JSON API.
"""

from copy import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import checkout, payers
from app.checkout import CheckoutSession
from app.core import db
from app.gateway import CheckoutSessionOptions
from app.payers import Payer, PaymentMethod, PaymentStatus
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.portal import DETAILS, SignupPage, session_of
from tests.support.tokens import program

# The only statuses that anybody may see, whatever fails. 204 answers a deletion.
EXPECTED_STATUSES = {200, 201, 204, 303, 400, 404, 409, 410, 412, 422, 503}
CARDS = {
    "good": "4242424242424242",
    "other": "5555555555554444",
    "declined": "4000000000000002",
    "challenged": "4000002500003155",
    "challenged and declined": "4000008400001629",
}


@dataclass
class Person:
    """Somebody with a browser, at the sign-up form or on the Stripe page that the portal led to."""

    app: Flask
    simulator: Simulator
    client: FlaskClient
    name: str = "ada"
    currency: str = DETAILS["currency"]
    session_ids: list[str] = field(default_factory=list)  # cs_…, oldest first

    @classmethod
    def open_form(cls, app: Flask, simulator: Simulator, name: str, currency: str) -> "Person":
        """Open the sign-up form in a new browser."""
        person = cls(app, simulator, app.test_client(), name, currency)
        assert person.form.page
        return person

    @classmethod
    def sign_up(cls, app: Flask, simulator: Simulator, name: str = "ada") -> "Person":
        """Sign up in a new browser, under a name that nobody else in the test has."""
        person = cls(app, simulator, app.test_client(), name)
        person.form = SignupPage.unread(person.client)
        answer = person.submit_form()
        assert answer.status_code == 303, Page.of(answer).text
        return person

    @cached_property
    def form(self) -> SignupPage:
        """The sign-up form that is open in the browser."""
        return SignupPage(self.client)

    # What the person does

    def submit_form(self) -> TestResponse:
        """Press the form's button, for the first time or again."""
        before = copy(self.form)
        answer = self.form.submit(key=self.name, subject_keys=[f"{self.name}-1"], currency=self.currency)
        if not self.form.has_fields:  # an error page: the browser's "back" leads to the form
            self.form = before
        return self._follow_to_stripe(answer)

    def submit_new_form(self) -> TestResponse:
        """Open a new form and press its button; who is set up already asks for one."""
        has_form = b'id="details"' in self.client.get("/signup").data
        self.form = SignupPage(self.client, "/signup" if has_form else "/signup?new=1")
        return self.submit_form()

    def save_card(self, number: str = CARDS["good"], **form: Any) -> str:
        """Type a card into Stripe's newest page; "succeeded", "declined" or "requires_action"."""
        return self.simulator.save_card(self.session_id, number, **form)

    def return_to_portal(self) -> TestResponse:
        """Open the page to which Stripe leads back. The portal then asks Stripe what happened."""
        return self.client.get("/return")

    def resume(self) -> TestResponse | None:
        """Press "continue" on the page to which Stripe's "back" leads; None if it has no such button.

        It has none when everything is done, or when the portal no longer knows this browser.
        """
        return self._press(self.client.get("/cancelled"), "/resume")

    def follow(self, link: str) -> TestResponse | None:
        """Open an onboarding link and press its button; None if the page has no button."""
        path = urlsplit(link).path
        return self._press(self.client.get(path), path)

    def open_another_session(self, currency: str = "EUR", **options: Any) -> str:
        """Open one more checkout session for the same customer, even if one is open; its id."""
        with self.app.app_context():
            session = db.session()
            payer = payers.fresh(session, self.payer.id)
            db.end_read(session)
            order = checkout.Order(
                customer_id=payer.customer_id,
                options=CheckoutSessionOptions(
                    currency=currency,
                    success_url="http://127.0.0.1:8000/return",
                    cancel_url="http://127.0.0.1:8000/cancelled",
                    **options,
                ),
            )
            self.session_ids.append(checkout.start(session, payer.app, order, actor="test").session.stripe_id)
        return self.session_id

    def _press(self, answer: TestResponse, action: str) -> TestResponse | None:
        forms = Page.of(answer).all("form", action=action) if answer.status_code == 200 else []
        if not forms:
            return None
        fields = {element["name"]: element.get("value") for element in forms[0].all("input")}
        return self._follow_to_stripe(self.client.post(action, data=fields))

    def _follow_to_stripe(self, answer: TestResponse) -> TestResponse:
        assert answer.status_code in EXPECTED_STATUSES, answer.get_data(as_text=True)
        if answer.status_code == 303 and urlsplit(answer.location).path.startswith("/c/pay/"):
            self.session_ids.append(session_of(answer))
        return answer

    # What the portal holds

    @property
    def payer(self) -> Payer:
        """The row in the database now, with its methods and its customer."""
        with self.app.app_context():
            opened = checkout.by_stripe_session(db.session(), self.session_id)
            assert opened is not None
            return payers.fresh(db.session(), opened.payer_id)

    @property
    def checkout_sessions(self) -> list[CheckoutSession]:
        """The checkout sessions in the database, oldest first."""
        with self.app.app_context():
            query = sa.select(CheckoutSession).where(CheckoutSession.payer_id == self.payer.id)
            return list(db.session().scalars(query.order_by(CheckoutSession.created_at)))

    @property
    def status(self) -> PaymentStatus:
        """The status that the portal shows, without asking Stripe."""
        payer = self.payer
        with self.app.app_context():
            return checkout.payment_status(payer, checkout.latest(db.session(), payer))

    @property
    def methods(self) -> list[PaymentMethod]:
        """The methods that the database holds as attached."""
        return [method for method in self.payer.methods if method.detached_at is None]

    # What Stripe holds

    @property
    def session_id(self) -> str:
        """The newest checkout session (cs_…) that this person was led to; "" before the first."""
        return self.session_ids[-1] if self.session_ids else ""

    @property
    def stripe_customer_id(self) -> str:
        """The Stripe customer, cus_…."""
        return str(self.simulator.store.checkout_sessions[self.session_id]["customer"])

    @property
    def stripe_default(self) -> str | None:
        """The default method of the Stripe customer (pm_…), if there is one."""
        customer = self.simulator.store.customers[self.stripe_customer_id]
        default: str | None = customer.get("invoice_settings", {}).get("default_payment_method")
        return default


@dataclass
class Program:
    """A program that onboards one customer over the JSON API."""

    client: FlaskClient
    name: str
    session_ids: list[str] = field(default_factory=list)  # cs_…, oldest first
    calls: int = 0

    @classmethod
    def with_token(cls, app: Flask, name: str) -> "Program":
        """A program with a new token."""
        return cls(program(app), name)

    def open_session(self, *, repeats: bool) -> int:
        """Open a checkout session, as a new call or as a repetition of the last one; the status."""
        self.calls += not repeats
        body = {
            "customer": {"name": self.name, "key": self.name},
            "options": {"successUrl": "https://example.com/", "currency": "USD"},
        }
        headers = {"Idempotency-Key": f"{self.name}-{self.calls}"}
        answer = self._call("POST", "stripe/checkout/sessions", json=body, headers=headers)
        if answer.status_code == 201:
            self.session_ids.append(answer.get_json()["sessionId"])
        return answer.status_code

    def choose_default(self, stripe_customer_id: str, method_id: str | None) -> None:
        """Name the Stripe customer and the method to make its default."""
        body = {"stripeCustomerId": stripe_customer_id, "stripeDefaultPaymentMethodId": method_id}
        given = {name: value for name, value in body.items() if value}
        self._call("PUT", f"customers/{self.name}/stripe", json=given)

    def bind(self, stripe_customer_id: str) -> None:
        """Bind the customer to another Stripe customer."""
        self.choose_default(stripe_customer_id, None)

    def unbind(self, app_id: str) -> None:
        """Remove the binding. The next checkout session makes a new Stripe customer."""
        self._call("DELETE", f"customers/{self.name}/apps/{app_id}")

    def delete_customer(self) -> None:
        """Delete the customer. Its key is free again then."""
        self._call("DELETE", f"customers/{self.name}")

    def _call(self, method: str, path: str, **request: Any) -> TestResponse:
        answer = self.client.open(f"/api/v1/{path}", method=method, **request)
        assert answer.status_code in EXPECTED_STATUSES, answer.get_data(as_text=True)
        return answer
