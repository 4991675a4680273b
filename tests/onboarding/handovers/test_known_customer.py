"""When a live customer has the key of a hand-over, the browser gets in to that customer's billing page."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import customers
from app.audit import Entry
from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from app.onboarding import billing, links
from app.onboarding.links import OnboardingLink
from app.onboarding.models import BillingAccess, Signup
from app.simulator import Simulator
from tests.support.billing import VISA, BillingPage, after, with_cards
from tests.support.browser import Page
from tests.support.handovers import CLAIMS, RETURN_URL, HandoverPage, in_seconds, make_secret, sign
from tests.support.links import LinkPage, make_customer, make_link
from tests.support.rivals import commits_meanwhile
from tests.support.rows import Rows


@pytest.fixture
def secret(app: Flask) -> str:
    """A secret that the company's app has."""
    return make_secret(app)


@pytest.fixture
def customer_id(app: Flask) -> str:
    """A customer with the key of the usual hand-over."""
    return make_customer(app, key=CLAIMS["key"])


def test_asks_with_its_name_alone(client: FlaskClient, secret: str, customer_id: str) -> None:
    page = HandoverPage(client, sign(secret, {"key": CLAIMS["key"]})).page

    assert page.h1 == "Continue to payment"
    assert "Ada Lovelace Ltd" in page.text
    assert "ada@example.com" not in page.html


def test_lets_the_browser_in_and_makes_nobody(
    client: FlaskClient, secret: str, customer_id: str, rows: Rows
) -> None:
    page = HandoverPage(client, sign(secret, email="other@example.com", returnURL=RETURN_URL))
    before = rows(Signup)

    answer = page.press()

    [customer] = rows(Customer)
    [signup] = rows(Signup)
    [link] = rows(OnboardingLink)
    assert before == []
    assert "/c/pay/" in answer.location
    assert customer.primary_email == "ada@example.com"  # its details stay as they are
    assert (signup.customer_id, signup.link_id, signup.return_url) == (customer_id, link.id, RETURN_URL)
    assert link.created_by.startswith("handover:")


def test_shows_the_billing_page_as_to_its_owner(
    app: Flask, simulator: Simulator, secret: str, rows: Rows
) -> None:
    with_cards(app.test_client(), simulator, VISA, key=CLAIMS["key"])
    visitor = app.test_client()

    token = sign(secret, {"key": CLAIMS["key"]}, singleUse=True, returnURL=RETURN_URL, returnLabel="Engines")
    answer = HandoverPage(visitor, token).press()

    page = after(visitor, answer)
    assert page.titles == ["Visa •••• 4242"]
    assert "Manage in Stripe" in page.text
    [way_back] = [link for link in page.page.all("a") if link.text == "Continue to Engines"]
    assert way_back["href"] == RETURN_URL
    kinds = [(entry.kind, entry.actor) for entry in rows(Entry)]
    assert ("billing_page.entered", "visitor") in kinds
    assert [actor.partition(":")[0] for kind, actor in kinds if kind == "handover.used"] == ["handover"]
    assert HandoverPage(app.test_client(), sign(secret, {"key": "other"})).answer.status_code == 200


def test_single_use_opens_the_billing_page_once(
    app: Flask, simulator: Simulator, secret: str, rows: Rows
) -> None:
    with_cards(app.test_client(), simulator, VISA, key=CLAIMS["key"])
    token = sign(secret, {"key": CLAIMS["key"]}, singleUse=True)
    first, second = (HandoverPage(app.test_client(), token) for _ in range(2))

    answers = [first.press(), second.press()]

    assert [answer.status_code for answer in answers] == [303, 410]
    assert len(rows(BillingAccess)) == 1


def test_revoking_its_link_closes_the_billing_page(
    app: Flask, client: FlaskClient, simulator: Simulator, secret: str, rows: Rows
) -> None:
    with_cards(app.test_client(), simulator, VISA, key=CLAIMS["key"])
    page = after(client, HandoverPage(client, sign(secret, {"key": CLAIMS["key"]})).press())

    with app.app_context():
        session = db.session()
        db.start_write(session)
        links.revoke(session, rows(OnboardingLink)[0].id, actor="operator:test")
        session.commit()

    assert rows(BillingAccess) == []
    assert BillingPage(client).titles == []
    assert page.press("/billing/stripe").status_code == 404


def revoke_first(app: Flask, rows: Rows) -> None:
    """Have an operator revoke the link that was made first."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        links.revoke(session, rows(OnboardingLink)[0].id, actor="operator:test")
        session.commit()


def test_revoking_its_link_leaves_other_customers(
    app: Flask, client: FlaskClient, simulator: Simulator, secret: str, rows: Rows
) -> None:
    for key in ("ada", "eve"):
        with_cards(app.test_client(), simulator, VISA, key=key, subject_keys=[key])
        after(client, HandoverPage(client, sign(secret, {"key": key})).press())
    eve = rows(OnboardingLink)[1].customer_id

    revoke_first(app, rows)

    assert [access.customer_id for access in rows(BillingAccess)] == [eve]
    assert BillingPage(client, f"/billing?customer={eve}").titles == ["Visa •••• 4242"]


def test_revoking_its_link_leaves_what_a_code_opened(
    app: Flask, client: FlaskClient, simulator: Simulator, secret: str, rows: Rows
) -> None:
    with_cards(app.test_client(), simulator, VISA, key=CLAIMS["key"])
    after(client, HandoverPage(client, sign(secret, {"key": CLAIMS["key"]})).press())
    with client.session_transaction() as cookie:
        browser = cookie["browser"]
    with app.app_context():
        session = db.session()
        db.start_write(session)
        billing.let_in(session, rows(Customer)[0].id, browser, way=billing.Way.CODE, profile=None)
        session.commit()

    revoke_first(app, rows)

    assert BillingPage(client).titles == ["Visa •••• 4242"]


def test_its_link_ends_soon_after_its_token(
    client: FlaskClient, secret: str, customer_id: str, rows: Rows
) -> None:
    HandoverPage(client, sign(secret)).press()

    [link] = rows(OnboardingLink)
    assert link.expires_at - utcnow() < timedelta(hours=5)


def test_repeats_nothing(client: FlaskClient, secret: str, customer_id: str, rows: Rows) -> None:
    page = HandoverPage(client, sign(secret, singleUse=True))

    answers = [page.press(), page.press()]

    assert {answer.status_code for answer in answers} == {303}
    assert len(rows(OnboardingLink)) == 1


def test_single_use_lets_one_browser_in(app: Flask, secret: str, customer_id: str, rows: Rows) -> None:
    token = sign(secret, singleUse=True)
    first, second = (HandoverPage(app.test_client(), token) for _ in range(2))

    answers = [first.press().status_code, second.press().status_code]

    assert answers == [303, 410]
    assert len(rows(Signup)) == 1


def test_form_that_was_drawn_before_lets_in_too(
    app: Flask, client: FlaskClient, secret: str, rows: Rows
) -> None:
    page = HandoverPage(client, sign(secret))
    customer_id = make_customer(app, key=CLAIMS["key"])

    answer = page.submit()

    assert "/c/pay/" in answer.location
    assert [customer.id for customer in rows(Customer)] == [customer_id]
    assert [signup.customer_id for signup in rows(Signup)] == [customer_id]


def test_many_devices_at_once_make_one_customer(app: Flask, secret: str, rows: Rows) -> None:
    token = sign(secret)
    pages = [HandoverPage(app.test_client(), token) for _ in range(5)]

    with ThreadPoolExecutor(5) as threads:
        statuses = {answer.status_code for answer in threads.map(lambda page: page.submit(), pages)}

    assert statuses == {303}
    assert len(rows(Customer)) == 1
    assert len(rows(Signup)) == 5


def test_own_browser_continues_with_its_own_customer(client: FlaskClient, secret: str, rows: Rows) -> None:
    HandoverPage(client, sign(secret)).submit()

    answer = HandoverPage(client, sign(secret, language="en")).press()

    [signup] = rows(Signup)
    assert answer.status_code == 303
    assert signup.link_id is None  # it still sees everything


def test_of_a_deleted_customer_makes_a_new_one(
    app: Flask, client: FlaskClient, secret: str, customer_id: str, rows: Rows
) -> None:
    with app.app_context():
        session = db.session()
        db.start_write(session)
        customers.delete(session, session.get_one(Customer, customer_id), actor="test")
        session.commit()

    HandoverPage(client, sign(secret)).submit()

    assert len(rows(Customer)) == 2


def test_revoked_link_of_it_gives_nobody_access_again(
    app: Flask, client: FlaskClient, secret: str, customer_id: str, rows: Rows
) -> None:
    token = sign(secret)
    HandoverPage(client, token).press()
    with app.app_context():
        session = db.session()
        db.start_write(session)
        links.revoke(session, rows(OnboardingLink)[0].id, actor="operator:test")
        session.commit()

    answer = HandoverPage(app.test_client(), token).press()

    assert answer.status_code == 410
    assert client.get(f"/return?customer={customer_id}").status_code == 404


def test_button_without_our_cookie_is_shown_again(
    app: Flask, secret: str, customer_id: str, rows: Rows
) -> None:
    page = HandoverPage(app.test_client(), sign(secret))
    page._client = app.test_client()

    answer = page.press()

    assert answer.status_code == 422
    assert "press the button again" in Page.of(answer).text
    assert rows(Signup) == []


def test_button_alone_gives_nobody_access(client: FlaskClient, customer_id: str) -> None:
    assert client.post("/handover", data={}).status_code == 404


def test_leads_to_the_state_when_stripe_does_not_answer(
    client: FlaskClient, secret: str, customer_id: str, simulator: Simulator
) -> None:
    page = HandoverPage(client, sign(secret))
    simulator.faults.add("503", "POST /v1/customers", times=9)

    answer = page.press()

    assert answer.location == f"/return?customer={customer_id}"
    assert Page.of(client.get(answer.location)).h1


def test_gives_nobody_access_whose_link_is_revoked_at_the_same_moment(
    app: Flask, client: FlaskClient, simulator: Simulator, secret: str, rows: Rows
) -> None:
    with_cards(app.test_client(), simulator, VISA, key=CLAIMS["key"])
    token = sign(secret, {"key": CLAIMS["key"]})
    HandoverPage(client, token).press()
    [link], page = rows(OnboardingLink), HandoverPage(client, token)

    answer = commits_meanwhile(
        app, lambda session: links.revoke(session, link.id, actor="operator:test"), page.press
    )

    assert answer.status_code == 410
    assert BillingPage(client).titles == []


def test_revoking_its_link_closes_the_billing_page_after_another_link_was_followed(
    app: Flask, client: FlaskClient, simulator: Simulator, secret: str, rows: Rows
) -> None:
    with_cards(app.test_client(), simulator, VISA, key=CLAIMS["key"])
    HandoverPage(client, sign(secret, {"key": CLAIMS["key"]})).press()
    [customer] = rows(Customer)
    other = LinkPage(client, make_link(app, customer.id))
    assert client.post(other.path, data=other.token | {"another": "1"}).status_code == 303

    revoke_first(app, rows)

    assert BillingPage(client).titles == []


def test_revoking_its_newest_link_closes_the_billing_page(
    app: Flask, client: FlaskClient, simulator: Simulator, secret: str, rows: Rows
) -> None:
    with_cards(app.test_client(), simulator, VISA, key=CLAIMS["key"])
    for minutes in (5, 6):
        HandoverPage(client, sign(secret, {"key": CLAIMS["key"]}, exp=in_seconds(minutes=minutes))).press()
    newest = rows(OnboardingLink)[-1]

    with app.app_context():
        session = db.session()
        db.start_write(session)
        links.revoke(session, newest.id, actor="operator:test")
        session.commit()

    assert BillingPage(client).titles == []
