"""Programs that choose default methods, and an operator who edits customers, over the network.

They try again until something works, and remember what the portal confirmed: it must hold at the end.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import requests
from requests import Response

from tests.proof.network_people import NetworkPerson, keep_trying
from tests.proof.remote_stripe import RemoteStripe
from tests.support.browser import Page
from tests.support.people import CARDS

_random = random.SystemRandom()


@dataclass
class NetworkProgram:
    """A program that has customers save two cards, and then chooses one as the default."""

    portal: str
    token: str
    stripe: RemoteStripe
    patience: float
    chosen: dict[str, str] = field(
        default_factory=dict
    )  # cus_…: the method that was confirmed as the default

    def onboard(self, name: str) -> str:
        """Save two cards of a new customer, choose one, and return the customer's id."""
        with requests.Session() as session:
            session.trust_env = False  # no proxy leads to this machine
            session.headers["Authorization"] = f"Bearer {self.token}"
            stripe_customer = ""
            for number, card in enumerate(("good", "other")):
                opened = self._open_session(session, name, number)
                stripe_customer = str(opened["stripeCustomerId"])
                self.stripe.spared.add(stripe_customer)
                self._save_card(name, opened["url"], CARDS[card])
            self._choose(session, name, stripe_customer)
            return str(opened["customerId"])

    def find(self, key: str) -> str:
        """Return the id of the customer with that key."""
        url, headers = f"{self.portal}/api/v1/customers/{key}", {"Authorization": f"Bearer {self.token}"}
        with requests.Session() as session:
            session.trust_env = False
            return str(
                self._try(key, lambda: session.get(url, headers=headers, timeout=30), 200).json()["id"]
            )

    def _open_session(self, session: requests.Session, name: str, number: int) -> dict[str, Any]:
        body = {
            "customer": {"name": f"{name} Ltd", "key": name, "primaryEmail": f"{name}@example.com"},
            "options": {"currency": "USD"},
        }
        headers = {"Idempotency-Key": f"{name}-{number}"}
        url = f"{self.portal}/api/v1/stripe/checkout/sessions"
        answer = self._try(name, lambda: session.post(url, json=body, headers=headers, timeout=30), 201)
        opened: dict[str, Any] = answer.json()
        return opened

    def _save_card(self, name: str, url: str, number: str) -> None:
        person = NetworkPerson(self.portal, name, self.patience)
        person.come_to(url)
        person.save_card(number)
        person.close()

    def _choose(self, session: requests.Session, name: str, stripe_customer: str) -> None:
        methods = self.stripe.collection("payment_methods").values()
        own = [str(method["id"]) for method in methods if method["customer"] == stripe_customer]
        chosen = _random.choice(own)
        body = {"stripeCustomerId": stripe_customer, "stripeDefaultPaymentMethodId": chosen}
        url = f"{self.portal}/api/v1/customers/{name}/stripe"
        self._try(name, lambda: session.put(url, json=body, timeout=30), 200)
        self.chosen[stripe_customer] = chosen

    def _try(self, name: str, request: Callable[[], Response], status: int) -> Response:
        return keep_trying(request, lambda answer: answer.status_code == status, name, self.patience)


@dataclass
class NetworkOperator:
    """Somebody who works in the console."""

    portal: str
    email: str
    password: str
    patience: float
    edited: dict[str, tuple[str, str]] = field(default_factory=dict)  # id: the name and email that were saved
    _browser: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._browser.trust_env = False  # no proxy leads to this machine

    def log_in(self) -> None:
        """Log in."""
        path = "/operator/login"
        token = Page(self._browser.get(self.portal + path, timeout=30).text).value("csrf_token")
        fields = {"csrf_token": token, "email": self.email, "password": self.password}
        answer = self._browser.post(self.portal + path, fields, allow_redirects=False, timeout=30)
        assert answer.status_code == 303, Page(answer.text).text

    def edit(self, customer_id: str) -> None:
        """Change a customer's name and email, in a form that is opened again until it is saved."""
        number = _random.randrange(10**6)
        name, email = f"Edited {number} Ltd", f"edited-{number}@example.com"
        keep_trying(
            lambda: self._send_form(customer_id, name, email),
            lambda answer: answer.status_code == 303,
            customer_id,
            self.patience,
        )
        self.edited[customer_id] = (name, email)

    def close(self) -> None:
        """Close the browser."""
        self._browser.close()

    def _send_form(self, customer_id: str, name: str, email: str) -> Response:
        url = f"{self.portal}/operator/customers/{customer_id}/edit"
        answer = self._browser.get(url, timeout=30)
        if answer.status_code != 200:
            return answer
        page = Page(answer.text)
        names = [one["name"] for one in page.all() if one.tag in {"input", "select"} and one.get("name")]
        fields: dict[str, Any] = {each: page.values(each) or page.value(each) for each in names}
        fields |= {"name": name, "email": email}
        return self._browser.post(url, fields, allow_redirects=False, timeout=30)
