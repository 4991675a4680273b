"""An onboarding link leads its customer to Stripe and back. One customer gets one Stripe customer and one
open page there, however often and wherever the link is used."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import payers, sync
from app.checkout import CheckoutSession
from app.core import db
from app.customers import Customer
from app.onboarding.models import Signup
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.conftest import PORTAL
from tests.support.browser import Page
from tests.support.links import LATER, SAVED, WANTED, LinkPage, find, go_to_stripe, kinds, make_link
from tests.support.portal import DETAILS, SignupPage, resume, session_of, sign_up
from tests.support.rows import Rows


def test_leads_to_stripe_and_back(
    client: FlaskClient, path: str, simulator: Simulator, rows: Rows, customer_id: str
) -> None:
    session_id = go_to_stripe(client, path)
    opened = simulator.store.checkout_sessions[session_id]
    simulator.save_card(session_id)

    page = Page.of(client.get(opened["success_url"].removeprefix(PORTAL)))

    assert page.h1 == SAVED
    assert "4242" in page.text
    assert opened["currency"] == "eur"
    [at_stripe] = simulator.store.customers.values()
    assert (at_stripe["name"], at_stripe["email"]) == (WANTED["name"], WANTED["primary_email"])
    [payer] = rows(Payer)
    assert (payer.customer_id, payer.stripe_customer_id) == (customer_id, at_stripe["id"])


def test_leads_back_after_second_thoughts(client: FlaskClient, path: str, simulator: Simulator) -> None:
    session_id = go_to_stripe(client, path)
    opened = simulator.store.checkout_sessions[session_id]

    page = Page.of(client.get(opened["cancel_url"].removeprefix(PORTAL)))
    again = session_of(resume(client, opened["cancel_url"].removeprefix(PORTAL)))

    assert page.h1 == "You haven\u2019t added a payment method yet"
    assert again == session_id


def test_shows_the_email_and_the_keys_on_no_page_that_follows(
    client: FlaskClient, path: str, simulator: Simulator
) -> None:
    session_id = go_to_stripe(client, path)
    html = [Page.of(client.get("/cancelled")).html, Page.of(client.get("/return")).html]
    simulator.save_card(session_id)
    html.append(Page.of(client.get("/return")).html)
    html.append(Page.of(client.get("/signup")).html)

    secrets = (WANTED["primary_email"], WANTED["key"], *WANTED["subject_keys"])
    assert [secret for secret in secrets for text in html if secret in text] == []
    assert SAVED in html[2]


def test_gives_no_right_to_correct_the_details(app: Flask, client: FlaskClient, rows: Rows) -> None:
    form = SignupPage(client)
    form.submit()
    guest = app.test_client()
    go_to_stripe(guest, make_link(app, rows(Customer)[0].id))
    of_guest = SignupPage(guest)

    answer = of_guest.submit(nonce=form.page.value("nonce"), name="Mallory")

    assert answer.status_code == 422
    assert [customer.name for customer in rows(Customer)] == [DETAILS["name"]]


def test_leaves_whoever_signed_up_what_it_had(client: FlaskClient, app: Flask, rows: Rows) -> None:
    sign_up(client)

    LinkPage(client, make_link(app, rows(Customer)[0].id)).press()

    assert [signup.is_guest for signup in rows(Signup)] == [False]
    assert DETAILS["email"] in Page.of(client.get("/return")).text


def test_reuses_the_open_page(client: FlaskClient, path: str, simulator: Simulator) -> None:
    first, second = go_to_stripe(client, path), go_to_stripe(client, path)

    assert first == second
    assert len(simulator.store.checkout_sessions) == 1


def test_opens_a_new_page_after_the_old_one_died(
    client: FlaskClient, path: str, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    first = go_to_stripe(client, path)
    clock.shift(timedelta(days=3))
    simulator.expire_session(first)

    second = go_to_stripe(client, path)

    assert second != first
    assert simulator.store.checkout_sessions[second]["status"] == "open"
    assert len(simulator.store.customers) == 1


def test_leads_on_after_a_decline(client: FlaskClient, path: str, simulator: Simulator) -> None:
    session_id = go_to_stripe(client, path)
    simulator.save_card(session_id, "4000000000000002")
    client.get("/return")

    again = go_to_stripe(client, path)

    assert again == session_id


def test_helps_somebody_whose_cookies_are_gone(app: Flask, client: FlaskClient, rows: Rows) -> None:
    first = sign_up(client)
    path = make_link(app, rows(Customer)[0].id)
    elsewhere = app.test_client()

    second = go_to_stripe(elsewhere, path)

    assert second == first
    assert Page.of(elsewhere.get("/return")).h1 == "You haven\u2019t finished on Stripe yet"


def test_of_somebody_deleted_at_stripe_makes_a_new_stripe_customer(
    app: Flask,
    client: FlaskClient,
    path: str,
    simulator: Simulator,
    clock: time_machine.Traveller,
    rows: Rows,
) -> None:
    simulator.save_card(go_to_stripe(client, path))
    client.get("/return")
    simulator.delete_customer(rows(Payer)[0].stripe_customer_id)
    clock.shift(LATER)

    session_id = go_to_stripe(app.test_client(), path)

    opened = simulator.store.checkout_sessions[session_id]
    assert not simulator.store.customers[opened["customer"]].get("deleted")
    simulator.save_card(session_id)
    page = Page.of(client.get("/return"))
    assert page.h1 == SAVED


def test_of_somebody_deleted_at_stripe_a_moment_ago_makes_a_new_stripe_customer(
    app: Flask, client: FlaskClient, path: str, simulator: Simulator, rows: Rows
) -> None:
    simulator.save_card(go_to_stripe(client, path))
    client.get("/return")
    simulator.detach_payment_method(rows(PaymentMethod)[0].id)
    with app.app_context():
        sync.refresh(db.session(), rows(Payer)[0].id, force=True)
    simulator.delete_customer(rows(Payer)[0].stripe_customer_id)

    session_id = go_to_stripe(app.test_client(), path)

    assert len(simulator.store.customers) == 2
    assert simulator.store.checkout_sessions[session_id]["status"] == "open"


@pytest.mark.parametrize("now", ["2034-12-10T00:00Z", "2035-01-01T00:01Z"])
def test_replaces_a_card_that_expires(
    client: FlaskClient, app: Flask, path: str, simulator: Simulator, now: str
) -> None:
    with time_machine.travel(datetime.fromisoformat("2034-11-20T12:00Z"), tick=True) as clock:
        customer_id = find(app, path).customer_id
        path = make_link(app, customer_id, expires_at=datetime.fromisoformat("2036-01-01T00:00Z"))
        simulator.save_card(go_to_stripe(client, path), expiry="12/34")
        client.get("/return")
        clock.move_to(datetime.fromisoformat(now))
        elsewhere = app.test_client()

        page = LinkPage(elsewhere, path)
        session_id = session_of(page.press())
        before = Page.of(elsewhere.get("/return"))
        simulator.save_card(session_id, "5555555555554444", expiry="12/40")
        after = Page.of(elsewhere.get("/return"))

        assert "expire" in page.page.text
        assert not page.page.tells("4242")
        assert not before.tells("4242")
        assert before.h1 in {"Saved, but your card expires soon", "Your card has expired"}
        assert after.h1 == SAVED
        assert "4444" in after.text
        assert not after.tells("4242")


def test_two_people_with_one_link_share_one_page(
    app: Flask, path: str, simulator: Simulator, rows: Rows
) -> None:
    one, other = app.test_client(), app.test_client()

    first, second = go_to_stripe(one, path), go_to_stripe(other, path)
    simulator.save_card(first)

    assert first == second
    assert {Page.of(browser.get("/return")).h1 for browser in (one, other)} == {SAVED}
    assert len(rows(Signup)) == 2
    assert find(app, path).uses == 2


def test_used_twenty_times_at_once_makes_one_stripe_customer_and_one_page(
    app: Flask, path: str, simulator: Simulator, rows: Rows
) -> None:
    pages = [LinkPage(app.test_client(), path) for _ in range(20)]

    with ThreadPoolExecutor(20) as crowd:
        opened = set(crowd.map(lambda page: session_of(page.press()), pages))

    assert len(opened) == len(rows(CheckoutSession)) == len(simulator.store.checkout_sessions) == 1
    assert len(rows(Payer)) == len(simulator.store.customers) == 1
    assert find(app, path).uses == 20
    assert kinds(rows).count("link.opened") == kinds(rows).count("link.used") == 1


def test_uses_the_number_of_another_call_that_is_done_while_it_looks(
    app: Flask, path: str, simulator: Simulator, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, twin, seen = payers.of_customer, LinkPage(app.test_client(), path), list[str]()

    def looks_too_early(*wanted: Any) -> Payer | None:
        found = look(*wanted)
        if not seen:
            seen.append("before the twin")
            twin.press()
        return found

    page = LinkPage(app.test_client(), path)
    monkeypatch.setattr(payers, "of_customer", looks_too_early)
    session_of(page.press())

    assert seen
    assert len(rows(CheckoutSession)) == len(simulator.store.checkout_sessions) == 1
    assert len(rows(Payer)) == len(simulator.store.customers) == 1
