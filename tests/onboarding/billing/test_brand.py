"""Whoever comes to the billing page of a customer sees the brand where the customer signed up."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.core import db
from app.web.mail import Mailbox
from tests.support.billing import BillingPage, press
from tests.support.browser import Page
from tests.support.portal import SignupPage

FIRST, OTHER = "Northwind Metering", "Second Brand"


@pytest.fixture(autouse=True)
def _second(app: Flask) -> None:
    """Publish two profiles."""
    second = portal.Profile.model_validate({"name": "Second", "brand": {"company_name": OTHER}})
    with app.app_context():
        session = db.session()
        settings = portal.PortalSettings(profiles={"default": portal.Profile(), "second": second})
        portal.publish(session, settings, actor="command")
        session.commit()


@pytest.fixture
def customer(client: FlaskClient) -> FlaskClient:
    """A browser that signed up by the second profile."""
    page = SignupPage(client, "/signup/second")
    answer = client.post(page.page.one("form", id="details")["action"], data=page.fields())
    assert answer.status_code == 303
    return client


def brand(page: Page) -> str:
    page.check()
    return page.one("span", class_="brand-name").text


def test_an_invited_person(customer: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    [link] = [each for each in BillingPage(customer).page.all("a") if "/billing/people" in each["href"]]
    people = Page.of(customer.get(link["href"]))
    press(customer, people.one("form", action="/billing/people"), email="grace@example.com")
    [message] = mailbox.messages
    found = re.search(r"/billing/invitation/\S+", message.text)
    assert found is not None

    invitation = Page.of(other.get(found.group()))
    answer = press(other, invitation.one("form", action=found.group()))

    assert brand(invitation) == OTHER
    assert OTHER in message.subject
    assert OTHER in invitation.one("main").text
    assert brand(Page.of(other.get(answer.location))) == OTHER


def test_somebody_with_a_code(customer: FlaskClient, other: FlaskClient, mailbox: Mailbox) -> None:
    assert customer
    way_in = Page.of(other.get("/billing?profile=second"))
    asked = press(other, way_in.one("main").one("form"), email="ada@example.com")
    code_page = Page.of(other.get(asked.location))
    [message] = mailbox.messages
    [code] = re.findall(r"\d{6}", message.text)
    answer = press(other, code_page.one("main").one("form"), code=code)

    assert [brand(way_in), brand(code_page)] == [OTHER, OTHER]
    assert f"the billing page of {OTHER}" in message.text
    assert brand(Page.of(other.get(answer.location))) == OTHER


def test_somebody_with_a_code_who_named_no_profile(
    customer: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    assert customer
    way_in = Page.of(other.get("/billing"))
    asked = press(other, way_in.one("main").one("form"), email="ada@example.com")
    code_page = Page.of(other.get(asked.location))
    [code] = re.findall(r"\d{6}", mailbox.messages[0].text)
    answer = press(other, code_page.one("main").one("form"), code=code)

    assert [brand(way_in), brand(code_page)] == [FIRST, FIRST]
    assert brand(Page.of(other.get(answer.location))) == OTHER


@pytest.mark.parametrize("profile", ["third", "", "default"])
def test_a_way_in_by_no_other_profile(client: FlaskClient, profile: str) -> None:
    assert brand(Page.of(client.get("/billing", query_string={"profile": profile}))) == FIRST
