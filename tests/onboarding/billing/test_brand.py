"""People who come to the billing page of a customer see the brand where the customer signed up."""

import re
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import portal
from app.core.db import utcnow
from app.customers import Customer
from app.web.mail import Mailbox
from tests.support.billing import BillingPage, press
from tests.support.browser import Page
from tests.support.handovers import HandoverPage, make_secret, sign
from tests.support.links import LinkPage, make_customer, make_link
from tests.support.portal import SignupPage
from tests.support.profiles import publish_profiles
from tests.support.rows import Rows

FIRST, OTHER = "Northwind Metering", "Second Brand"


@pytest.fixture(autouse=True)
def _second(app: Flask) -> None:
    """Publish two profiles."""
    second = portal.Profile.model_validate({"name": "Second", "brand": {"company_name": OTHER}})
    publish_profiles(app, second=second)


@pytest.fixture
def customer(client: FlaskClient) -> FlaskClient:
    """A browser that signed up by the second profile."""
    page = SignupPage(client, "/signup/second")
    answer = client.post(page.page.one("form", id="details")["action"], data=page.fields())
    assert answer.status_code == 303
    return client


def _ask(browser: FlaskClient, rows: Rows) -> Page:
    """Ask for a code on the page of a customer that this browser signed up too long ago."""
    first = next(each for each in rows(Customer) if each.name == "Ada Lovelace Ltd")
    way_in = Page.of(browser.get("/billing", query_string={"customer": first.id}))
    asked = press(browser, way_in.one("main").one("form"), email="ada@example.com")
    return Page.of(browser.get(asked.location))


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
    [message] = mailbox.messages
    [code] = re.findall(r"\d{6}", message.text)
    answer = press(other, code_page.one("main").one("form"), code=code)

    assert [brand(way_in), brand(code_page)] == [FIRST, FIRST]
    assert f"the billing page of {OTHER}" in message.text
    assert FIRST not in message.text
    assert brand(Page.of(other.get(answer.location))) == OTHER


@pytest.mark.parametrize("profile", ["third", "", "default"])
def test_a_way_in_by_no_other_profile(client: FlaskClient, profile: str) -> None:
    assert brand(Page.of(client.get("/billing", query_string={"profile": profile}))) == FIRST


def test_pages_of_several_customers_lead_to_each_other(
    app: Flask, customer: FlaskClient, other: FlaskClient, mailbox: Mailbox
) -> None:
    page = SignupPage(customer)
    assert page.submit(name="Second Ltd", key="", subject_keys=[]).status_code == 303
    stranger = SignupPage(app.test_client())
    assert (
        stranger.submit(name="Third Ltd", email="three@example.com", key="", subject_keys=[]).status_code
        == 303
    )
    way_in = Page.of(other.get("/billing"))
    asked = press(other, way_in.one("main").one("form"), email="ada@example.com")
    [code] = re.findall(r"\d{6}", mailbox.messages[0].text)
    code_form = Page.of(other.get(asked.location)).one("main").one("form")
    entered = press(other, code_form, code=code).location

    for browser in (customer, other):
        newest = Page.of(browser.get("/billing" if browser is customer else entered))
        [link] = newest.one("aside").one("ul").all("a")
        earlier = Page.of(browser.get(link["href"]))
        [back] = earlier.one("aside").one("ul").all("a")

        assert (brand(newest), " ".join(link.text.split())) == (FIRST, "Ada Lovelace Ltd ( ada-1 )")
        assert (brand(earlier), back.text) == (OTHER, "Second Ltd")


def test_pages_lead_to_those_alone_that_open(customer: FlaskClient, mailbox: Mailbox, rows: Rows) -> None:
    begun = utcnow()
    with time_machine.travel(begun + timedelta(days=60), tick=True):
        page = SignupPage(customer, "/signup?new=1")
        assert (
            page.submit(name="Second Ltd", email="two@example.com", key="", subject_keys=[]).status_code
            == 303
        )
    with time_machine.travel(begun + timedelta(days=91), tick=True):
        assert Page.of(customer.get("/billing")).one("aside").all("ul") == []
        code_page = _ask(customer, rows)
        [code] = re.findall(r"\d{6}", mailbox.messages[0].text)
        press(customer, code_page.one("main").one("form"), code=code)

        [link] = Page.of(customer.get("/billing")).one("aside").one("ul").all("a")
        led_to = Page.of(customer.get(link["href"]))

    assert "Ada Lovelace Ltd" in " ".join(link.text.split())
    assert led_to.one("aside").one("ul").all("a")[0].text == "Second Ltd"


@pytest.mark.parametrize(("profile", "shown"), [(None, FIRST), ("second", OTHER)])
def test_somebody_whom_the_companys_app_hands_over(
    app: Flask, customer: FlaskClient, other: FlaskClient, profile: str | None, shown: str
) -> None:
    assert customer
    page = HandoverPage(other, sign(make_secret(app), {"key": "ada-1"}, profile=profile))

    assert page.press().status_code == 303

    assert brand(page.page) == shown
    assert brand(Page.of(other.get("/billing"))) == shown


def test_page_of_a_guest_leads_to_no_other(app: Flask, client: FlaskClient) -> None:
    first = make_customer(app)
    LinkPage(client, make_link(app, first)).press()
    assert (
        SignupPage(client, "/signup?new=1").submit(name="Own Ltd", key="", subject_keys=[]).status_code == 303
    )

    as_guest = Page.of(client.get("/billing", query_string={"customer": first}))
    as_owner = Page.of(client.get("/billing"))

    assert "Own Ltd" not in as_guest.text
    assert as_owner.one("aside").all("ul") == []
