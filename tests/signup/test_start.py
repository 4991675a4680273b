"""Coming by an onboarding link."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import db, payers, sync
from app.apps import App
from app.checkout import CheckoutSession
from app.config import Settings
from app.customers import Customer
from app.db import utcnow
from app.journal import Entry
from app.links import OnboardingLink
from app.payers import Payer, PaymentMethod
from app.signup.models import Signup
from app.simulator import DEFAULT_API_KEY, Simulator
from app.web import logging
from tests.conftest import PORTAL, make_settings
from tests.support.browser import Page
from tests.support.links import WANTED, LinkPage, bind_newest, find, make_customer, make_link, revoke
from tests.support.logs import lines_of
from tests.support.portal import DETAILS, SignupPage, resume, session_of, sign_up
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls

SAVED = "Your payment method is saved"
MANY = 50  # more than the SDK tries
LATER = timedelta(minutes=2)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The time, which goes on by itself and can be set forward."""
    with time_machine.travel(utcnow(), tick=True) as traveller:
        yield traveller


@pytest.fixture
def customer_id(app: Flask) -> str:
    """A customer that a program or an operator made: Stripe knows nothing of it."""
    return make_customer(app)


@pytest.fixture
def path(app: Flask, customer_id: str) -> str:
    """The path of a link for that customer."""
    return make_link(app, customer_id)


def dump(app: Flask) -> dict[str, list[Any]]:
    """Everything that the database holds."""
    with app.app_context(), db.engine().connect() as connection:
        tables = db.Base.metadata.sorted_tables
        return {table.name: sorted(connection.execute(sa.select(table)).all(), key=str) for table in tables}


def kinds(rows: Rows, prefix: str = "link.") -> list[str]:
    return [entry.kind for entry in rows(Entry) if entry.kind.startswith(prefix)]


def go_to_stripe(client: FlaskClient, path: str) -> str:
    """Open the link, press its button, and give the session (cs_…) of the page that it leads to."""
    return session_of(LinkPage(client, path).press())


def test_shows_who_asks_for_whom_and_for_what(client: FlaskClient, path: str) -> None:
    page = LinkPage(client, path).page

    assert page.h1 == "Save a payment method"
    assert "Northwind Metering asks Ada Lovelace Ltd to save a card or bank account on Stripe" in page.text
    assert "Nothing is charged now" in page.text
    assert page.one("form")["action"] == path


def test_shows_no_more_than_the_name(client: FlaskClient, path: str, customer_id: str) -> None:
    page = LinkPage(client, path).page

    secrets = (WANTED["primary_email"], WANTED["key"], *WANTED["subject_keys"], customer_id)
    assert [secret for secret in secrets if secret in page.html] == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch"},
        {"User-Agent": "Mozilla/5.0 (compatible; MailScanner/5)", "Referer": "https://mail.example.com/"},
    ],
)
def test_changes_nothing_when_a_program_fetches_it(
    app: Flask, path: str, calls: StripeCalls, method: str, headers: dict[str, str]
) -> None:
    before = dump(app)

    for cookies in (True, False):
        scanner = app.test_client(use_cookies=cookies)
        for _ in range(10):
            assert scanner.open(path, method=method, headers=headers).status_code == 200

    assert dump(app) == before
    assert calls.made == []


def test_works_for_the_person_after_many_scans(app: Flask, client: FlaskClient, path: str) -> None:
    scanner = app.test_client(use_cookies=False)
    for number in range(200):
        scanner.get(path, environ_base={"REMOTE_ADDR": f"192.0.2.{number}"})

    answer = LinkPage(client, path).press()

    assert answer.status_code == 303


def test_leads_to_stripe_and_back(
    client: FlaskClient, path: str, simulator: Simulator, rows: Rows, customer_id: str
) -> None:
    session_id = go_to_stripe(client, path)
    opened = simulator.books.checkout_sessions[session_id]
    simulator.save_card(session_id)

    page = Page.of(client.get(opened["success_url"].removeprefix(PORTAL)))

    assert page.h1 == SAVED
    assert "4242" in page.text
    assert opened["currency"] == "eur"
    [at_stripe] = simulator.books.customers.values()
    assert (at_stripe["name"], at_stripe["email"]) == (WANTED["name"], WANTED["primary_email"])
    [payer] = rows(Payer)
    assert (payer.customer_id, payer.stripe_customer_id) == (customer_id, at_stripe["id"])


def test_leads_back_after_second_thoughts(client: FlaskClient, path: str, simulator: Simulator) -> None:
    session_id = go_to_stripe(client, path)
    opened = simulator.books.checkout_sessions[session_id]

    page = Page.of(client.get(opened["cancel_url"].removeprefix(PORTAL)))
    again = session_of(resume(client, opened["cancel_url"].removeprefix(PORTAL)))

    assert page.h1 == "Nothing is lost"
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
    assert len(simulator.books.checkout_sessions) == 1


def test_opens_a_new_page_after_the_old_one_died(
    client: FlaskClient, path: str, simulator: Simulator, clock: time_machine.Traveller
) -> None:
    first = go_to_stripe(client, path)
    clock.shift(timedelta(days=3))
    simulator.expire_session(first)

    second = go_to_stripe(client, path)

    assert second != first
    assert simulator.books.checkout_sessions[second]["status"] == "open"
    assert len(simulator.books.customers) == 1


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
    assert Page.of(elsewhere.get("/return")).h1 == "Not finished on Stripe yet"


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

    opened = simulator.books.checkout_sessions[session_id]
    assert not simulator.books.customers[opened["customer"]].get("deleted")
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

    assert len(simulator.books.customers) == 2
    assert simulator.books.checkout_sessions[session_id]["status"] == "open"


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
        assert "4242" not in page.page.html + before.html
        assert before.h1 in {"Saved, but your card expires soon", "Your card has expired"}
        assert after.h1 == SAVED
        assert "4444" in after.text
        assert "4242" not in after.html


class TestWhenAllIsDone:
    """A link shows that a method is saved. Which one, it shows only to a browser that was there."""

    @pytest.fixture
    def saver(self, client: FlaskClient, path: str, simulator: Simulator) -> FlaskClient:
        """The browser in which the card was saved."""
        simulator.save_card(go_to_stripe(client, path))
        client.get("/return")
        return client

    def test_says_so_and_shows_nobody_else_the_card(self, app: Flask, saver: FlaskClient, path: str) -> None:
        page = LinkPage(app.test_client(), path).page

        assert page.h1 == "All is done"
        assert "A payment method is saved for Ada Lovelace Ltd" in page.text
        assert "4242" not in page.html
        assert not page.one("main").all("a")

    def test_shows_the_last_digits_where_it_was_saved(self, saver: FlaskClient, path: str) -> None:
        page = LinkPage(saver, path).page

        assert "Visa •••• 4242" in page.text.replace("\xa0", " ")
        assert page.one("main").all("a")[0]["href"].startswith("/return")

    def test_binds_nobody_who_presses_a_button_of_before(
        self, app: Flask, client: FlaskClient, path: str, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        late = LinkPage(app.test_client(), path)
        session_id = go_to_stripe(client, path)
        clock.shift(LATER)
        simulator.save_card(session_id)

        answer = late.press()

        assert (answer.status_code, answer.location) == (303, path)
        again = Page.of(late._client.get(path))
        assert again.h1 == "All is done"
        assert "4242" not in again.html
        assert late._client.get("/return").status_code == 404
        assert len(simulator.books.checkout_sessions) == 1

    def test_leads_whoever_was_there_to_the_card(
        self, client: FlaskClient, path: str, simulator: Simulator, clock: time_machine.Traveller
    ) -> None:
        page = LinkPage(client, path)
        simulator.save_card(session_of(page.press()))
        clock.shift(LATER)

        answer = client.post(path, data=page.token)

        assert answer.status_code == 303
        assert Page.of(client.get(answer.location)).h1 == SAVED

    def test_waits_for_micro_deposits(
        self, app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        path = make_link(app, make_customer(app, key="us", subject_keys=("us",), currency="USD"))
        simulator.pay_by_bank(go_to_stripe(client, path), verify="later")
        client.get("/return")

        page = LinkPage(app.test_client(), path).page

        assert page.h1 == "Waiting for the bank"

    def test_leads_on_when_stripe_says_otherwise_by_now(
        self,
        app: Flask,
        saver: FlaskClient,
        path: str,
        simulator: Simulator,
        clock: time_machine.Traveller,
        rows: Rows,
    ) -> None:
        page = LinkPage(app.test_client(), path)
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(LATER)

        answer = page.press()

        assert page.page.h1 == "All is done"
        assert simulator.books.checkout_sessions[session_of(answer)]["status"] == "open"

    def test_leads_on_again_when_the_card_was_removed(
        self,
        app: Flask,
        saver: FlaskClient,
        path: str,
        simulator: Simulator,
        clock: time_machine.Traveller,
        rows: Rows,
    ) -> None:
        simulator.detach_payment_method(rows(PaymentMethod)[0].id)
        clock.shift(LATER)
        saver.get("/return")

        second = go_to_stripe(app.test_client(), path)

        assert simulator.books.checkout_sessions[second]["status"] == "open"


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

    assert len(opened) == len(rows(CheckoutSession)) == len(simulator.books.checkout_sessions) == 1
    assert len(rows(Payer)) == len(simulator.books.customers) == 1
    assert find(app, path).uses == 20
    assert kinds(rows).count("link.opened") == kinds(rows).count("link.used") == 1


def test_uses_its_twins_number_when_the_twin_is_done_while_it_looks(
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
    assert len(rows(CheckoutSession)) == len(simulator.books.checkout_sessions) == 1
    assert len(rows(Payer)) == len(simulator.books.customers) == 1


class TestOpened:
    """A person is told from a program by its hand."""

    def test_is_noted_once(self, app: Flask, path: str, rows: Rows, clock: time_machine.Traveller) -> None:
        pages = [LinkPage(app.test_client(), path) for _ in range(2)]
        before = find(app, path).opened_at

        answers = [page.stir().status_code for page in pages]
        opened_at = find(app, path).opened_at
        clock.shift(LATER)
        pages[0].stir()

        assert answers == [204, 204]
        assert before is None
        assert find(app, path).opened_at == opened_at is not None
        assert kinds(rows) == ["link.created", "link.opened"]
        assert rows(Entry)[-1].actor == "visitor"

    def test_is_noted_with_the_button_too(
        self, client: FlaskClient, path: str, app: Flask, rows: Rows
    ) -> None:
        LinkPage(client, path).press()

        link = find(app, path)
        assert link.opened_at is not None
        assert link.used_at is not None
        assert link.uses == 1
        assert kinds(rows) == ["link.created", "link.opened", "link.used"]

    def test_is_not_asked_for_again(self, client: FlaskClient, path: str) -> None:
        LinkPage(client, path).stir()

        form = LinkPage(client, path).page.one("form")

        assert "data-opened" not in form.attributes

    def test_is_not_believed_without_the_token_of_the_page(self, app: Flask, path: str) -> None:
        before = dump(app)

        answers = [app.test_client().post(f"{path}/opened", data=data) for data in ({}, {"csrf_token": "x"})]

        assert [answer.status_code for answer in answers] == [400, 400]
        assert dump(app) == before

    def test_is_not_noted_of_a_link_that_does_not_work(
        self, app: Flask, client: FlaskClient, path: str
    ) -> None:
        page = LinkPage(client, path)
        revoke(app, path)
        before = dump(app)

        answers = [page.stir(), client.post("/start/unknown/opened", data=page.token)]

        assert [answer.status_code for answer in answers] == [404, 404]
        assert dump(app) == before

    def test_uses_are_told_again_after_a_while(
        self, client: FlaskClient, path: str, app: Flask, rows: Rows, clock: time_machine.Traveller
    ) -> None:
        for _ in range(2):
            LinkPage(client, path).press()
        first = find(app, path)
        clock.shift(LATER)
        LinkPage(client, path).press()

        last = find(app, path)
        assert (first.uses, last.uses) == (2, 3)
        assert last.used_at == first.used_at is not None
        assert last.last_used_at != first.last_used_at
        assert kinds(rows).count("link.used") == 2


class TestWithoutTheTokenOfThePage:
    """A program that posts is given the page again, and the person who comes after it is not in its debt."""

    def test_changes_nothing_and_shows_the_page_again(
        self, app: Flask, path: str, calls: StripeCalls
    ) -> None:
        before = dump(app)

        answers = [
            app.test_client(use_cookies=False).post(path, data=data) for data in ({}, {"csrf_token": "x"})
        ]

        assert [answer.status_code for answer in answers] == [422, 422]
        page = Page.of(answers[0])
        assert "Please press the button once more" in page.text
        assert "WANTED" not in page.html
        assert page.one("form")["action"] == path
        assert dump(app) == before
        assert calls.made == []

    def test_leads_on_at_the_next_click(self, app: Flask, path: str) -> None:
        browser = app.test_client()
        page = Page.of(browser.post(path))
        token = page.one("form").one("input")["value"]

        answer = browser.post(path, data={"csrf_token": token})

        assert answer.status_code == 303

    def test_never_leads_on_without_cookies_but_says_why(self, app: Flask, path: str) -> None:
        page = LinkPage(app.test_client(use_cookies=False), path)

        answers = [page.press().status_code for _ in range(3)]

        assert answers == [422] * 3
        assert "did not send our cookie" in page.page.text

    def test_over_https_asks_for_no_referrer(self, app: Flask, path: str) -> None:
        browser = app.test_client()
        token = LinkPage(browser, path).token

        answer = browser.post(
            path, data=token, base_url="http://localhost", headers={"X-Forwarded-Proto": "https"}
        )

        assert answer.status_code == 303


class TestThatDoesNotWork:
    """One calm page, which tells nothing of the customer."""

    def assert_calm(self, page: Page) -> None:
        assert WANTED["name"] not in page.html
        assert page.one("main").all("a", href="mailto:help@example.com")
        assert not page.all("form")

    def test_because_it_is_unknown_or_revoked_looks_alike(
        self, app: Flask, client: FlaskClient, path: str
    ) -> None:
        revoke(app, path)

        revoked, unknown = client.get(path), client.get("/start/" + "x" * 43)

        assert revoked.status_code == unknown.status_code == 404
        assert revoked.data == unknown.data
        self.assert_calm(Page.of(revoked))

    @pytest.mark.parametrize("token", ["x", "%00", "%ff", "%C3%A9", "a" * 3000, "..", "%2e%2e", "'--"])
    def test_because_it_was_made_up(self, client: FlaskClient, token: str) -> None:
        answer = client.get(f"/start/{token}")

        assert answer.status_code == 404
        Page.of(answer)

    def test_because_it_has_expired(
        self, app: Flask, client: FlaskClient, path: str, clock: time_machine.Traveller
    ) -> None:
        page = LinkPage(client, path)
        clock.shift(timedelta(days=31))

        answers = [client.get(path), client.post(path, data=page.token)]

        assert [answer.status_code for answer in answers] == [410, 410]
        assert Page.of(answers[0]).h1 == "This link has expired"
        self.assert_calm(Page.of(answers[1]))

    def test_because_the_customer_was_deleted(
        self, app: Flask, client: FlaskClient, path: str, customer_id: str, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        delete(app, customer_id)

        answers = [client.get(path), client.post(path, data=page.token)]

        assert [answer.status_code for answer in answers] == [404, 404]
        self.assert_calm(Page.of(answers[0]))
        assert calls.made == []

    def test_because_the_customer_is_deleted_at_this_moment(
        self, app: Flask, client: FlaskClient, path: str, customer_id: str, calls: StripeCalls, rows: Rows
    ) -> None:
        page = LinkPage(client, path)
        in_thread = ThreadPoolExecutor(1)
        calls.after("POST /v1/checkout/sessions", lambda: in_thread.submit(delete, app, customer_id).result())

        answer = page.press()

        in_thread.shutdown()
        assert answer.status_code == 404
        assert rows(Payer) == rows(Signup) == []

    def test_because_it_was_revoked_after_it_was_shown(
        self, app: Flask, client: FlaskClient, path: str, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        revoke(app, path)

        answer = page.press()

        assert answer.status_code == 404
        assert calls.made == []


def delete(app: Flask, customer_id: str) -> None:
    with app.app_context():
        session = db.session()
        db.start_write(session)
        customer = session.get(Customer, customer_id)
        assert customer is not None
        payers.delete_customer(session, customer, actor="operator:test")
        session.commit()


def test_that_is_revoked_takes_back_what_it_let_see(
    app: Flask, client: FlaskClient, path: str, simulator: Simulator
) -> None:
    simulator.save_card(go_to_stripe(client, path))
    before = client.get("/return").status_code

    revoke(app, path)

    assert before == 200
    assert client.get("/return").status_code == 404
    assert "Ada" not in Page.of(client.get("/cancelled")).text


def test_after_a_revoked_one_lets_the_same_browser_in_again(
    app: Flask, client: FlaskClient, path: str, customer_id: str
) -> None:
    go_to_stripe(client, path)
    revoke(app, path)

    go_to_stripe(client, make_link(app, customer_id))

    assert client.get("/return").status_code == 200


class TestWhileStripeIsInTrouble:
    """Nothing is lost, and the link goes on working."""

    @pytest.mark.parametrize("route", ["POST /v1/customers", "POST /v1/checkout/sessions"])
    @pytest.mark.parametrize("kind", ["503", "429", "timeout_after", "reset"])
    def test_says_what_to_do_and_works_later(
        self, client: FlaskClient, path: str, simulator: Simulator, rows: Rows, kind: str, route: str
    ) -> None:
        page = LinkPage(client, path)
        simulator.faults.add(kind, route, times=MANY)

        answer = page.press()

        assert answer.status_code == 503
        assert "The payment page can't be opened just now" in page.page.text
        assert "try again in a few minutes" in page.page.text
        assert rows(Payer) == rows(CheckoutSession) == rows(Signup) == []
        assert [link.uses for link in rows(OnboardingLink)] == [1]

        simulator.faults.clear()
        assert page.press().status_code == 303
        assert len(simulator.books.customers) == len(simulator.books.checkout_sessions) == 1

    def test_with_a_key_that_was_taken_back_tells_the_operator(
        self, client: FlaskClient, path: str, simulator: Simulator, rows: Rows
    ) -> None:
        page = LinkPage(client, path)
        simulator.books.keys.pop(DEFAULT_API_KEY)

        answer = page.press()

        assert answer.status_code == 503
        assert "sk_test" not in page.page.html
        assert [app.status for app in rows(App)] == ["unauthorized"]

    def test_tells_the_operator_and_not_the_visitor_what_stripe_refuses(
        self, client: FlaskClient, path: str, rows: Rows, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        words = f"Invalid email address: {WANTED['primary_email']}"
        refusal = {
            "type": "invalid_request_error",
            "code": "email_invalid",
            "param": "email",
            "message": words,
        }
        calls.refusals["POST /v1/customers"] = refusal

        answer = page.press()

        assert answer.status_code == 400
        assert "Stripe did not accept the details" in page.page.text
        assert WANTED["primary_email"] not in page.page.html
        [told] = [entry for entry in rows(Entry) if entry.kind == "checkout.refused"]
        assert told.facts["reason"] == words

    def test_without_an_installed_app_says_that_payments_are_away(self, bare_app: Flask) -> None:
        path = make_link(bare_app, make_customer(bare_app))

        answer = LinkPage(bare_app.test_client(), path).press()

        assert answer.status_code == 503

    def test_leaves_its_stripe_customer_to_another_who_was_given_it(
        self, app: Flask, client: FlaskClient, path: str, simulator: Simulator, calls: StripeCalls
    ) -> None:
        other = make_customer(app, key="other", subject_keys=("other",))
        calls.after("POST /v1/customers", lambda: bind_newest(app, simulator, other))

        opened = session_of(LinkPage(client, path).press())

        _, own = simulator.books.customers
        assert simulator.books.checkout_sessions[opened]["customer"] == own

    def test_asks_to_press_again_when_another_is_given_each_of_its_stripe_customers(
        self, app: Flask, client: FlaskClient, path: str, simulator: Simulator, calls: StripeCalls
    ) -> None:
        page = LinkPage(client, path)
        other = make_customer(app, key="other", subject_keys=("other",))

        def give_away() -> None:
            bind_newest(app, simulator, other)
            calls.after("POST /v1/checkout/sessions", give_away)

        calls.after("POST /v1/checkout/sessions", give_away)

        answer = page.press()

        assert answer.status_code == 409
        assert "Please press the button once more" in page.page.text


@pytest.mark.parametrize("suffix", ["", "/opened", "/", "/more"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT"])
def test_goes_to_nobody_as_a_referrer(client: FlaskClient, path: str, suffix: str, method: str) -> None:
    answer = client.open(path + suffix, method=method)

    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in answer.headers["X-Robots-Tag"]
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.usefixtures("unlogged")
@pytest.mark.parametrize("suffix", ["", "/opened", "/", "/more", "?a=b", "."])
@pytest.mark.parametrize("before", ["", "/", "%2F", "%0a"])
def test_is_not_in_the_log(
    client: FlaskClient, path: str, suffix: str, before: str, capsys: pytest.CaptureFixture[str]
) -> None:
    token = path.rsplit("/", 1)[-1]
    logging.configure(make_settings(log_level="DEBUG"))

    for method in ("GET", "POST", "PUT"):
        client.open(f"/start/{before}{token}{suffix}", method=method)

    text = capsys.readouterr().err
    assert len([line for line in lines_of(text) if line["event"] == "request"]) == 3
    assert token not in text
    assert "/start/" in text


class TestWithABudget:
    """Looks and presses are counted by address."""

    @pytest.fixture
    def settings(self, database_url: str) -> Settings:
        return make_settings(database_url=database_url, rate_limit_return="2 per minute")

    def test_ends_with_a_page_that_says_so(self, app: Flask, path: str) -> None:
        looks = [app.test_client().get(path) for _ in range(3)]
        presses = [app.test_client().post(path) for _ in range(3)]
        guesses = [app.test_client().post(f"/start/guess-{number}/opened") for number in range(3)]

        assert [answer.status_code for answer in looks] == [200, 200, 429]
        assert [answer.status_code for answer in presses] == [422, 422, 429]
        assert [answer.status_code for answer in guesses] == [404, 404, 429]
        Page.of(looks[2])
