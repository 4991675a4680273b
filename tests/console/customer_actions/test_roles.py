"""A viewer changes nothing about a customer. An operator and an administrator may do everything."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import audit
from app.core.db import new_id
from app.customers import Customer
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import post, sign_in
from tests.support.console_customer import Console
from tests.support.people import Person
from tests.support.rows import Rows

ACTIONS = (
    "edit",
    "delete",
    "restore",
    "check",
    "attach",
    "charge",
    "detach",
    "adopt",
    "allow",
    "close-page",
    "links",
    f"links/{'0' * 26}/renew",
    f"links/{'0' * 26}/revoke",
)


@for_each("what", ACTIONS)
def test_a_viewer_may_do_nothing(what: str, app: Flask, customer: dict[str, Any], rows: Rows) -> None:
    before = len(rows(audit.Entry))

    answer = Console(sign_in(app, "viewer"), customer["id"]).press(what, name="Changed", key="k")

    assert answer.status_code == 403
    assert "This needs the role operator" in Page.of(answer).text
    assert len(rows(audit.Entry)) == before


def test_a_viewer_may_not_make_a_customer(app: Flask, rows: Rows) -> None:
    client = sign_in(app, "viewer")

    answers = [client.get("/operator/customers/new")]
    answers.append(post(client, "/operator/customers/new", customer_id=new_id(), name="Ada", key="k"))

    assert [answer.status_code for answer in answers] == [403, 403]
    assert rows(Customer) == []


@for_each("what", ACTIONS)
def test_an_unknown_customer_is_not_found(what: str, client: FlaskClient) -> None:
    assert Console(client, new_id()).press(what).status_code == 404


def test_an_admin_may_do_what_an_operator_may(app: Flask, saved: Person) -> None:
    said = Console(sign_in(app, "admin"), saved.payer.customer_id).said("check")

    assert "Up to date with Stripe." in said
