"""The billing page, as a customer uses it."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.simulator import Simulator
from tests.support.browser import Element, Page
from tests.support.portal import session_of, sign_up

VISA, MASTERCARD, AMEX = "4242424242424242", "5555555555554444", "378282246310005"


def plain(text: str) -> str:
    """Text with ordinary spaces and apostrophes."""
    return text.replace("\xa0", " ").replace("\u2019", "'")


class BillingPage:
    """The billing page as one tab of a browser has it."""

    def __init__(self, client: FlaskClient, path: str = "/billing") -> None:
        self.client = client
        self.answer = client.get(path)
        self.page = Page.of(self.answer)
        self.page.check()

    @property
    def text(self) -> str:
        """All that can be read."""
        return plain(self.page.one("main").text)

    @property
    def methods(self) -> list[str]:
        """The methods in the list, each in its own words."""
        return [plain(" ".join(line.text.split())) for line in self.page.all("li") if _is_method(line)]

    @property
    def titles(self) -> list[str]:
        """The titles of the methods, in their order."""
        return [line.split(" Valid")[0].split(" Expire")[0] for line in self.methods]

    def line(self, title: str) -> Element:
        """The method with this title."""
        [found] = [line for line in self.page.all("li") if _is_method(line) and title in plain(line.text)]
        return found

    def press(self, action: str, title: str | None = None, **more: Any) -> TestResponse:
        """Press the button that posts there: of one method, or of the page."""
        place = self.line(title) if title else self.page
        return press(self.client, place.one("form", action=action), **more)

    def removal(self, title: str) -> "RemovalPage":
        """Follow the link that asks whether to remove a method."""
        [link] = [link for link in self.line(title).all("a") if "/billing/remove" in link["href"]]
        return RemovalPage(self.client, link["href"])


class RemovalPage:
    """The page that asks whether to remove a method."""

    def __init__(self, client: FlaskClient, path: str) -> None:
        self.client, self.path = client, path
        self.answer = client.get(path)
        self.page = Page.of(self.answer)
        self.page.check()

    @property
    def text(self) -> str:
        """All that can be read."""
        return plain(self.page.one("main").text)

    def confirm(self, **more: Any) -> TestResponse:
        """Press the button that removes it."""
        return press(self.client, self.page.one("form", action="/billing/remove"), **more)


def press(client: FlaskClient, form: Element, **more: Any) -> TestResponse:
    """Send a form as its button does."""
    fields = {
        field["name"]: field.get("value")
        for field in form.all("input")
        if field.get("type") != "radio" or "checked" in field.attributes
    }
    return client.post(form["action"], data=fields | more)


def after(client: FlaskClient, answer: TestResponse) -> BillingPage:
    """The billing page to which an answer leads."""
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert answer.location.startswith("/billing?customer=")
    return BillingPage(client, answer.location)


def add_method(client: FlaskClient, simulator: Simulator, card: str) -> None:
    """Press the button on the billing page that adds a method, and save a card."""
    answer = BillingPage(client).press("/resume")
    simulator.save_card(session_of(answer), card)
    assert client.get("/return").status_code == 200


def with_cards(client: FlaskClient, simulator: Simulator, *cards: str, **details: Any) -> FlaskClient:
    """Sign up in this browser, and save these cards one after the other."""
    simulator.save_card(sign_up(client, **details), cards[0])
    assert client.get("/return").status_code == 200
    for card in cards[1:]:
        add_method(client, simulator, card)
    return client


def _is_method(line: Element) -> bool:
    return "method-line" in (line.get("class") or "")
