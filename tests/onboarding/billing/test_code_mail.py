"""The email with a code speaks for the profile of the customer that the code opens."""

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import portal
from app.web.mail import Mailbox
from tests.support.billing import plain, press
from tests.support.browser import Page
from tests.support.links import LinkPage, make_customer, make_link
from tests.support.portal import SignupPage
from tests.support.profiles import publish_profiles

ADDRESS = "ada@example.com"
FIRST = "Northwind Metering"


@pytest.fixture(autouse=True)
def _profiles(app: Flask) -> None:
    publish(app)


def publish(app: Flask, **second: Any) -> None:
    """Publish two profiles; the second is in German and French."""
    german: dict[str, Any] = {
        "brand": {"company_name": "Zweite GmbH"},
        "links": {"support_email": "hilfe@example.com"},
        "languages": ["de", "fr"],
    }
    publish_profiles(app, second=portal.Profile.model_validate(german | second))


def sign_up(app: Flask, path: str = "/signup/second", **details: Any) -> None:
    """Sign up by a profile, in a new browser."""
    client = app.test_client()
    page = SignupPage(client, path)
    answer = client.post(page.page.one("form", id="details")["action"], data=page.fields(**details))
    assert answer.status_code == 303


def ask(client: FlaskClient, path: str = "/billing", language: str = "en") -> TestResponse:
    """Ask for a code in a browser that reads a language."""
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    return press(client, Page.of(client.get(path)).one("main").one("form"), email=ADDRESS)


def enter(client: FlaskClient, asked: TestResponse, mailbox: Mailbox) -> TestResponse:
    """Enter the code that was sent last."""
    [code] = re.findall(r"\d{6}", mailbox.messages[-1].text)
    return press(client, Page.of(client.get(asked.location)).one("main").one("form"), code=code)


def test_has_the_name_the_language_and_the_reply_address(
    app: Flask, other: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(app)

    ask(other)

    [message] = mailbox.messages
    assert message.reply_to == "hilfe@example.com"
    assert message.subject == "Ihr Code für die Seite mit den Zahlungsmethoden"
    assert "Zweite GmbH" in message.text
    assert FIRST not in message.text


def test_is_in_the_language_of_the_page_where_the_profile_has_it(
    app: Flask, other: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(app)

    ask(other, language="fr")

    assert mailbox.messages[0].text.startswith("Votre code est")


def test_speaks_for_the_profile_of_the_link_that_a_customer_came_by(
    app: Flask, client: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    customer_id = make_customer(app, primary_email=ADDRESS)
    LinkPage(client, make_link(app, customer_id, profile="second")).press()

    ask(other)

    assert "Zweite GmbH" in mailbox.messages[0].text


def test_names_each_company_that_it_opens_once(app: Flask, other: FlaskClient, mailbox: Mailbox) -> None:
    for path, name in (("/signup/second", "One"), ("/signup", "Two"), ("/signup", "Three")):
        sign_up(app, path, name=name, key=name, subject_keys=[name])

    ask(other)

    assert f"the billing page of {FIRST} and Zweite GmbH." in mailbox.messages[0].text


def test_comes_from_the_profile_that_was_asked_and_opens_its_page(
    app: Flask, other: FlaskClient, mailbox: Mailbox
) -> None:
    for path, name in (("/signup/second", "One"), ("/signup", "Two")):
        sign_up(app, path, name=name, key=name, subject_keys=[name])

    entered = enter(other, ask(other, "/billing?profile=second"), mailbox)

    assert mailbox.messages[0].reply_to == "hilfe@example.com"
    assert "One" in plain(Page.of(other.get(entered.location)).one("main").text)


def test_is_not_sent_for_a_profile_that_wants_no_codes(
    app: Flask, other: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(app)
    publish(app, billing={"codes": False})

    ask(other)

    assert not mailbox.messages


def test_opens_no_customer_of_a_profile_that_wants_no_codes_since(
    app: Flask, other: FlaskClient, mailbox: Mailbox
) -> None:
    sign_up(app)
    asked = ask(other)
    assert mailbox.messages
    publish(app, billing={"codes": False})

    assert enter(other, asked, mailbox).status_code == 422
