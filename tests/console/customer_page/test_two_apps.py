"""A customer with two Stripe apps has a status, a diagnosis and links in each of them."""

from dataclasses import dataclass

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.checkout import CheckoutSession
from app.onboarding import links
from app.payers import Payer
from app.simulator import Simulator
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.console_customer import diagnosis, section
from tests.support.console_customers import install_another
from tests.support.links import LinkPage
from tests.support.portal import session_of
from tests.support.rows import Rows
from tests.support.tokens import program
from tests.support.world import World

SESSIONS = "/api/v1/stripe/checkout/sessions"
CUSTOMER = {"name": "Ada Lovelace Ltd", "key": "ada-1"}


@dataclass(frozen=True)
class Ada:
    """A customer who saved a card in the default app, and was declined in the second one."""

    id: str
    second: str  # the app

    @property
    def path(self) -> str:
        return f"/operator/customers/{self.id}"


@pytest.fixture
def ada(app: Flask, simulator: Simulator, world: World) -> Ada:
    second = install_another(app, simulator)
    api = program(app)
    for app_id, number in ((None, "4242424242424242"), (second, "4000000000000002")):
        body = {"customer": CUSTOMER, "options": {"currency": "USD"}} | ({"appId": app_id} if app_id else {})
        made = api.post(SESSIONS, json=body).get_json()
        simulator.save_card(made["sessionId"], number)
    post(sign_in(app, "operator"), f"/operator/customers/{made['customerId']}/check")
    world.settle()
    return Ada(made["customerId"], second)


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    return sign_in(app, "operator")


def test_the_page_diagnoses_each_app_the_worst_first(ada: Ada, operator: FlaskClient) -> None:
    said = diagnosis(Page.of(operator.get(ada.path)))

    assert said.index("Declined in Second") < said.index("Saved in Stripe")


def test_a_link_leads_to_the_app_it_was_made_for(
    app: Flask, ada: Ada, operator: FlaskClient, rows: Rows, simulator: Simulator, world: World
) -> None:
    panel = section(Page.of(operator.get(ada.path)), "Diagnosis")
    form = panel.one("form")
    answer = post(operator, form["action"], **{f["name"]: f["value"] for f in form.all("input")})
    shown = Page.of(operator.get(answer.location))
    url = shown.one("input", id="once")["value"].removeprefix(PORTAL)
    visitor = app.test_client()

    opened = session_of(LinkPage(visitor, url).press())
    simulator.save_card(opened)
    post(operator, f"{ada.path}/check")
    back = simulator.store.checkout_sessions[opened]["success_url"].removeprefix(PORTAL)
    world.settle()

    [link] = rows(links.OnboardingLink)
    assert link.app_id == ada.second
    [of_session] = [found for found in rows(CheckoutSession) if found.stripe_session_id == opened]
    payers = {payer.id: payer.app_id for payer in rows(Payer)}
    assert payers[of_session.payer_id] == ada.second
    assert "Your payment method is saved" in Page.of(visitor.get(back)).text
    assert "Saved in Second" in diagnosis(Page.of(operator.get(ada.path)))


def test_a_link_continues_in_its_app_after_another_became_the_default(
    app: Flask, ada: Ada, operator: FlaskClient, rows: Rows
) -> None:
    answer = post(operator, f"{ada.path}/links", app_id=ada.second)
    url = Page.of(operator.get(answer.location)).one("input", id="once")["value"]

    page = LinkPage(app.test_client(), url.removeprefix(PORTAL)).page

    assert "Continue to Stripe" in page.text


def test_the_list_and_the_overview_name_the_app(ada: Ada, operator: FlaskClient) -> None:
    listed = Page.of(operator.get("/operator/customers")).one("tbody").text
    declined = Page.of(operator.get("/operator/customers?status=failed")).one("tbody").text
    overview = Page.of(operator.get("/operator/")).one("main").text

    assert "Saved in Stripe" in listed
    assert "Declined in Second" in listed
    assert "Declined in Second" in declined
    assert "in Second" in overview
    assert "Newest customers in Stripe" in overview


def test_a_link_of_an_uninstalled_app_says_that_it_can_not_lead_on_now(
    app: Flask, ada: Ada, operator: FlaskClient
) -> None:
    answer = post(operator, f"{ada.path}/links", app_id=ada.second)
    url = Page.of(operator.get(answer.location)).one("input", id="once")["value"].removeprefix(PORTAL)
    program(app).delete(f"/api/v1/apps/{ada.second}")

    assert LinkPage(app.test_client(), url).press().status_code == 503
    assert "uninstalled" in section(Page.of(operator.get(ada.path)), "Onboarding links").text
