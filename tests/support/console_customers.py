"""The list of customers in the console, as an operator reads it."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import apps, customers, payers
from app.core import db
from app.simulator import Simulator, add_account, add_key
from tests.conftest import PORTAL
from tests.support.browser import Element, Page

LIST = "/operator/customers"


def look(console: FlaskClient, **query: Any) -> Page:
    """The list, with these arguments in its address."""
    return Page.of(console.get(LIST, query_string=query))


def follow(console: FlaskClient, page: Page, rel: str) -> Page:
    """The page to which a link of the pager leads: `next` or `prev`."""
    return Page.of(console.get(page.one("a", rel=rel)["href"]))


def rows(page: Page) -> list[Element]:
    """The rows of the table."""
    return page.one("tbody").all("tr") if page.all("tbody") else []


def names(page: Page) -> list[str]:
    """Who is on the page, in order."""
    return [row.one("th").one("a").text for row in rows(page)]


def cells(page: Page) -> dict[str, str]:
    """What the only row says, by column."""
    [row] = rows(page)
    return {cell["data-label"]: cell.text for cell in row.all("td") if cell.get("data-label")}


def delete(app: Flask, customer_id: str) -> None:
    with app.app_context():
        session = db.session()
        payers.delete_customer(session, session.get_one(customers.Customer, customer_id), actor="test")
        session.commit()


def install_another(app: Flask, simulator: Simulator) -> str:
    """A second Stripe account; the id of its app."""
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        installed = apps.install(session, "sk_test_second", public_url=PORTAL, actor="test", name="Second")
        session.commit()
        return installed.id
