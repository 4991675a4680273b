"""People who sign up, and what the portal and Stripe hold of them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client, TestResponse

from app import checkout, customers, db, payers, sync
from app.checkout import CheckoutSession
from app.db import utcnow
from app.gateway import PageOptions
from app.payers import Payer, PaymentMethod, PaymentStatus, payment_status
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.support import portal


@dataclass
class Person:
    """Somebody who has signed up in a browser of their own and stands on Stripe's page."""

    app: Flask
    simulator: Simulator
    client: FlaskClient
    page_id: str  # cs_…, the page opened last

    @classmethod
    def signs_up(cls, app: Flask, simulator: Simulator, name: str = "ada") -> "Person":
        """Sign up under a name that nobody else in the test has."""
        client = app.test_client()
        page = portal.sign_up(client, key=name, subject_keys=[f"{name}-1"])
        return cls(app, simulator, client, page)

    @property
    def payer(self) -> Payer:
        """What the database holds now, methods and customer included."""
        with self.app.app_context():
            query = sa.select(CheckoutSession.payer_id).where(CheckoutSession.id == self.page_id)
            return payers.fresh(db.session(), db.session().scalars(query).one())

    @property
    def pages(self) -> list[CheckoutSession]:
        """The hosted pages that the database knows, oldest first."""
        with self.app.app_context():
            query = sa.select(CheckoutSession).where(CheckoutSession.payer_id == self.payer.id)
            return list(db.session().scalars(query.order_by(CheckoutSession.created_at)))

    @property
    def status(self) -> PaymentStatus:
        """What the portal says of this person, without asking Stripe."""
        payer = self.payer
        with self.app.app_context():
            return payment_status(payer, checkout.latest(db.session(), payer.id), utcnow())

    @property
    def methods(self) -> list[PaymentMethod]:
        """The methods that the database holds as attached."""
        return [method for method in self.payer.methods if method.detached_at is None]

    @property
    def stripe_id(self) -> str:
        """The Stripe customer, cus_…."""
        return str(self.simulator.books.checkout_sessions[self.page_id]["customer"])

    @property
    def stripe_default(self) -> str | None:
        """The method that Stripe charges, by Stripe's books."""
        customer = self.simulator.books.customers[self.stripe_id]
        default: str | None = customer.get("invoice_settings", {}).get("default_payment_method")
        return default

    def saves(self, number: str = "4242424242424242", **form: Any) -> str:
        """Type a card into the page opened last; how it went."""
        return self.simulator.save_card(self.page_id, number, **form)

    def returns(self) -> TestResponse:
        """Come back to the portal, which looks at Stripe."""
        return self.client.get("/return")

    def goes_on(self) -> str:
        """Press "continue" at the portal; the page (cs_…) to which it leads."""
        answer = portal.resume(self.client)
        self.page_id = portal.session_of(answer)
        return self.page_id

    def opens_another_page(self, currency: str = "EUR") -> str:
        """A further page for the same customer, whatever stands open already; its id."""
        with self.app.app_context():
            session = db.session()
            payer = payers.fresh(session, self.payer.id)
            order = checkout.Order(
                customer=customers.details_of(payer.customer),
                page=PageOptions(
                    currency=currency,
                    success_url="http://127.0.0.1:8000/return",
                    cancel_url="http://127.0.0.1:8000/cancelled",
                ),
                key=f"another-{len(self.pages)}",
            )
            self.page_id = checkout.start(session, payer.app, order, actor="test").session.id
            session.commit()
        return self.page_id


class World:
    """Everybody's Stripe and portal, and the passing of events between them."""

    def __init__(self, app: Flask, simulator: Simulator) -> None:
        self.app = app
        self.simulator = simulator
        self._names = 0

    def person(self) -> Person:
        """Somebody new signs up."""
        self._names += 1
        return Person.signs_up(self.app, self.simulator, f"person-{self._names}")

    def work(self) -> int:
        """Let the worker do all that is due now; the number of its turns."""
        with self.app.app_context():
            return sync.drain()

    def tend(self) -> None:
        """Let the worker do what its timers ask for: backfill and reconciliation."""
        with self.app.app_context():
            while sync.tend(db.session()):
                continue

    def settle(self) -> None:
        """Deliver every event that is due and do all that is due then, until nothing more comes of it."""
        while self.simulator.deliver_due() + self.work():
            continue

    def lose_events(self, wanted: Callable[[str], bool] = lambda _type: False) -> None:
        """Deliver only the events of the wanted types that wait now; the others never arrive."""
        books = self.simulator.books
        for delivery in books.deliveries.snapshot():
            if not wanted(books.events[delivery["event"]]["type"]):
                books.deliveries.pop(delivery["id"], None)

    def stripe(self, method: str, path: str, **params: str) -> Any:
        """What a person does at Stripe's Dashboard, or another program with the same account."""
        headers = {"Authorization": f"Bearer {DEFAULT_API_KEY}"}
        answer = Client(self.simulator.wsgi).open(path, method=method, data=params, headers=headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def attach_card(self, person: Person, card: str = "pm_card_mastercard") -> str:
        """Attach one more card to a person's Stripe customer in the Dashboard; its id."""
        attached = self.stripe("POST", f"/v1/payment_methods/{card}/attach", customer=person.stripe_id)
        return str(attached["id"])

    def choose_default(self, person: Person, method_id: str) -> None:
        """Choose in the Dashboard which method is charged."""
        self.stripe(
            "POST",
            f"/v1/customers/{person.stripe_id}",
            **{"invoice_settings[default_payment_method]": method_id},
        )
