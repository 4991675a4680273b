"""Onboarding links, made as an operator makes them and opened as a customer does."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import customers
from app.audit import Entry
from app.core import db
from app.customers import Customer, NewCustomer
from app.onboarding import links
from app.onboarding.links import OnboardingLink
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.portal import session_of
from tests.support.rows import Rows
from tests.support.tokens import meanwhile

SAVED = "Your payment method is saved"
LATER = timedelta(minutes=2)
WANTED: dict[str, Any] = {
    "name": "Ada Lovelace Ltd",
    "primary_email": "ada@example.com",
    "currency": "EUR",
    "key": "ada-1",
    "subject_keys": ("engine-1",),
}


def make_customer(app: Flask, **details: Any) -> str:
    """Return the id of a customer that is not at Stripe yet."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        customer = customers.create(session, NewCustomer(**(WANTED | details)), actor="operator:test")
        session.commit()
        return customer.id


def bind_newest(app: Flask, simulator: Simulator, customer_id: str) -> None:
    """Have another program link the newest Stripe customer to a customer."""
    body = [{"type": "stripe", "stripeCustomerId": list(simulator.store.customers)[-1]}]
    meanwhile(app, "PUT", f"/api/v1/customers/{customer_id}/apps", body)()


def make_link(app: Flask, customer_id: str, **options: Any) -> str:
    """The path of a new link for a customer."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        customer = session.get(Customer, customer_id)
        assert customer is not None
        _, token = links.create(session, customer, actor="operator:test", **options)
        session.commit()
        return urlsplit(links.url(token)).path


def find(app: Flask, path: str) -> OnboardingLink:
    """The link of a path as the database has it now."""
    with app.app_context():
        found = links.find(db.session(), path.rsplit("/", 1)[-1])
        assert found is not None
        return found


def revoke(app: Flask, path: str) -> None:
    """Take a link back."""
    link = find(app, path)
    with app.app_context():
        session = db.session()
        db.start_write(session)
        links.revoke(session, link.id, actor="operator:test")
        session.commit()


class LinkPage:
    """The page of a link as one browser has it."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self._client = client
        self.path = path
        self.answer = client.get(path)
        self.page = Page.of(self.answer)

    @property
    def token(self) -> dict[str, str]:
        """What proves that this browser was shown the page."""
        return {"csrf_token": self.page.one("form").one("input")["value"]}

    def press(self) -> TestResponse:
        """Press the button. A page that comes back takes the place of this one."""
        self.answer = self._client.post(self.path, data=self.token)
        if self.answer.mimetype == "text/html" and self.answer.status_code != 303:
            self.page = Page.of(self.answer)
        return self.answer

    def stir(self) -> TestResponse:
        """Move the pointer: the script of the page reports it."""
        return self._client.post(self.page.one("form")["data-opened"], data=self.token)


def kinds(rows: Rows, prefix: str = "link.") -> list[str]:
    """The kinds of entries in the audit log that begin with this, in order."""
    return [entry.kind for entry in rows(Entry) if entry.kind.startswith(prefix)]


def go_to_stripe(client: FlaskClient, path: str) -> str:
    """Open the link, press its button, and give the session (cs_…) of the page that it leads to."""
    return session_of(LinkPage(client, path).press())
