"""The page of one customer in the console: its parts, and its buttons."""

from collections.abc import Callable
from datetime import UTC, datetime

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import audit
from tests.support.browser import Element, Page
from tests.support.console import post, sign_in
from tests.support.people import Person
from tests.support.rows import Rows


class Console:
    """An operator before the page of one customer."""

    def __init__(self, client: FlaskClient, customer_id: str) -> None:
        self.client = client
        self.path = f"/operator/customers/{customer_id}"

    def press(self, what: str, **fields: str) -> TestResponse:
        """Press a button, by the end of its address."""
        return post(self.client, f"{self.path}/{what}", **fields)

    def said(self, what: str, **fields: str) -> str:
        """Press a button; what the page says then."""
        answer = self.press(what, **fields)
        assert answer.status_code == 303, Page.of(answer).text
        return Page.of(self.client.get(answer.location)).one("main").text

    @property
    def page(self) -> Page:
        """The page, as it is now."""
        return Page.of(self.client.get(self.path))


ConsoleOf = Callable[[Person], Console]


def told(rows: Rows, kind: str) -> list[tuple[str, dict[str, str]]]:
    """Who did something of that kind, and its facts."""
    return [(entry.actor, entry.facts) for entry in rows(audit.Entry) if entry.kind == kind]


CLOCK = datetime(2030, 6, 10, 12, 0, tzinfo=UTC)


def look(person: Person | str, app: Flask, role: str = "operator") -> Page:
    """The page of a person, or of a customer's id, as somebody of that role sees it."""
    customer_id = person if isinstance(person, str) else person.payer.customer_id
    return Page.of(sign_in(app, role).get(f"/operator/customers/{customer_id}"))


def check(person: Person, app: Flask) -> None:
    """Press "Check with Stripe now"."""
    post(sign_in(app, "operator"), f"/operator/customers/{person.payer.customer_id}/check")


def section(page: Page, heading: str) -> Element:
    """The part of a page under a heading."""
    return next(
        found for found in page.all("section") if any(title.text == heading for title in found.all("h2")[:1])
    )


def diagnosis(page: Page) -> str:
    """What is said to be the matter."""
    return section(page, "Diagnosis").text


def tags(element: Element) -> list[str]:
    """The words in pills."""
    return [found.text for found in element.all("span") if found.get("class").startswith("tag ")]
