"""Customers choose their default, remove a method, and open Stripe's page. Stripe is asked first."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import sync
from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.payers import SETTLE_DELAY, Payer, PaymentMethod
from app.simulator import Simulator
from tests.support.billing import AMEX, MASTERCARD, VISA, BillingPage, RemovalPage, after, press, with_cards
from tests.support.browser import Page
from tests.support.links import LinkPage, make_link
from tests.support.portal import SignupPage, session_of, sign_up
from tests.support.rows import Rows

VISA_TITLE, MASTERCARD_TITLE, AMEX_TITLE = (
    "Visa •••• 4242",
    "Mastercard •••• 4444",
    "American Express •••• 0005",
)
DETACH = "POST /v1/payment_methods/*/detach"
UPDATE = "POST /v1/customers/cus_*"
LATER = timedelta(minutes=1)


@pytest.fixture
def saved(client: FlaskClient, simulator: Simulator) -> FlaskClient:
    """A browser in which somebody has saved two cards; the second, a Mastercard, is the default."""
    return with_cards(client, simulator, VISA, MASTERCARD)


@pytest.fixture
def guest(app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows) -> FlaskClient:
    """Another browser that came by a link afterwards, and saved an American Express card."""
    browser = app.test_client()
    link = LinkPage(browser, make_link(app, rows(Customer)[0].id))
    answer = browser.post(link.path, data=link.token | {"another": "1"})
    simulator.save_card(session_of(answer), AMEX)
    assert browser.get("/return").status_code == 200
    return browser


def method_id(rows: Rows, last4: str) -> str:
    """The id of the method with these digits."""
    [found] = [row.id for row in rows(PaymentMethod) if row.last4 == last4]
    return str(found)


def default_at_stripe(simulator: Simulator) -> str | None:
    """The digits of the default that Stripe has."""
    [customer] = simulator.store.customers.values()
    found = customer["invoice_settings"]["default_payment_method"]
    return simulator.store.payment_methods[found]["card"]["last4"] if found else None


def at_stripe(simulator: Simulator) -> set[str]:
    """The digits of the cards that Stripe has attached."""
    return {row["card"]["last4"] for row in simulator.store.payment_methods.values() if row["customer"]}


def kinds(rows: Rows, *which: str) -> list[tuple[str, str]]:
    """The kinds of these entries of the audit log with their actors, in order."""
    return [(entry.kind, entry.actor) for entry in rows(Entry) if entry.kind in which]


class TestTheDefault:
    """Another method becomes the default."""

    def test_changes_at_stripe_and_here(self, saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
        page = after(saved, BillingPage(saved).press("/billing/default", VISA_TITLE))

        assert f"{VISA_TITLE} is now your default." in page.text
        assert page.titles[0] == VISA_TITLE
        assert default_at_stripe(simulator) == "4242"
        assert ("default_method.changed", "visitor") in kinds(rows, "default_method.changed")
        assert "is now your default" not in BillingPage(saved).text

    def test_stays_though_older_events_arrive(
        self, app: Flask, saved: FlaskClient, simulator: Simulator
    ) -> None:
        BillingPage(saved).press("/billing/default", VISA_TITLE)
        simulator.deliver_due()
        with app.app_context():
            sync.run_until_idle()

        assert default_at_stripe(simulator) == "4242"
        assert BillingPage(saved).titles[0] == VISA_TITLE

    def test_may_be_chosen_twice(self, saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
        tab = BillingPage(saved)

        answers = [tab.press("/billing/default", VISA_TITLE) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert default_at_stripe(simulator) == "4242"
        assert kinds(rows, "default_method.changed")[-1][1] == "visitor"

    @pytest.mark.parametrize("kind", ["503", "429"])
    def test_stays_while_stripe_is_away(
        self, saved: FlaskClient, simulator: Simulator, rows: Rows, kind: str
    ) -> None:
        tab = BillingPage(saved)
        simulator.faults.add(kind, times=50)

        page = after(saved, tab.press("/billing/default", VISA_TITLE))

        assert "Stripe didn't answer" in page.text
        assert "We don't know yet whether it worked" in page.text
        simulator.faults.clear()
        after(saved, BillingPage(saved).press("/billing/default", VISA_TITLE))
        assert default_at_stripe(simulator) == "4242"

    def test_is_found_when_only_the_answer_was_lost(
        self, app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        tab = BillingPage(saved)
        simulator.faults.add("timeout_after", UPDATE, times=5)

        page = after(saved, tab.press("/billing/default", VISA_TITLE))

        assert "Stripe didn't answer" in page.text
        simulator.faults.clear()
        with time_machine.travel(db.utcnow() + LATER, tick=True), app.app_context():
            sync.run_until_idle()
        assert BillingPage(saved).titles[0] == VISA_TITLE


class TestARemoval:
    """A method is removed, after a question on another page."""

    def test_asks_first_and_changes_nothing(self, saved: FlaskClient, simulator: Simulator) -> None:
        page = BillingPage(saved).removal(VISA_TITLE)

        assert page.page.h1 == "Remove this payment method?"
        assert "can't be restored" in page.text
        assert at_stripe(simulator) == {"4242", "4444"}

    def test_detaches_it_at_stripe(self, saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
        page = after(saved, BillingPage(saved).removal(VISA_TITLE).confirm())

        assert f"Stripe no longer stores {VISA_TITLE}." in page.text
        assert page.titles == [MASTERCARD_TITLE]
        assert at_stripe(simulator) == {"4444"}
        assert default_at_stripe(simulator) == "4444"
        assert kinds(rows, "payment_method.detached") == [("payment_method.detached", "visitor")]

    def test_gives_the_default_to_the_other_first(self, saved: FlaskClient, simulator: Simulator) -> None:
        question = BillingPage(saved).removal(MASTERCARD_TITLE)
        assert f"{VISA_TITLE} becomes your default instead" in question.text

        page = after(saved, question.confirm())

        assert page.titles == [VISA_TITLE]
        assert default_at_stripe(simulator) == "4242"

    def test_lets_choose_the_next_default(
        self, client: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        with_cards(client, simulator, VISA, MASTERCARD, AMEX)
        question = BillingPage(client).removal(AMEX_TITLE)
        assert "Which one should be your default instead?" in question.text

        page = after(client, question.confirm(successor=method_id(rows, "4242")))

        assert page.titles == [VISA_TITLE, MASTERCARD_TITLE]
        assert default_at_stripe(simulator) == "4242"

    def test_of_the_last_one_is_not_offered(
        self, client: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        with_cards(client, simulator, VISA)
        page = BillingPage(client)
        path = f"/billing/remove?customer={rows(Customer)[0].id}&method={method_id(rows, '4242')}"

        assert "/billing/remove" not in client.get("/billing").get_data(as_text=True)
        question = RemovalPage(client, path)
        assert "It's your last payment method. Add another one first" in question.text
        form = BillingPage(client).page.one("form", action="/billing/stripe")
        form.attributes["action"] = "/billing/remove"
        told = after(client, press(client, form, method=method_id(rows, "4242")))
        assert "add another one first" in told.text
        assert page.titles == [VISA_TITLE]
        assert at_stripe(simulator) == {"4242"}

    def test_of_the_last_two_in_two_tabs_leaves_one(
        self, saved: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        tabs = [BillingPage(saved).removal(title) for title in (VISA_TITLE, MASTERCARD_TITLE)]

        for tab in tabs:
            after(saved, tab.confirm())

        assert len(at_stripe(simulator)) == 1
        assert default_at_stripe(simulator) in at_stripe(simulator)

    def test_of_the_last_two_leaves_one_while_stripe_does_not_answer(
        self, saved: FlaskClient, simulator: Simulator
    ) -> None:
        tabs = [BillingPage(saved).removal(title) for title in (VISA_TITLE, MASTERCARD_TITLE)]
        simulator.faults.add("timeout_after", DETACH, times=5)
        simulator.faults.add("503", "GET *", times=100)

        first, second = (after(saved, tab.confirm()) for tab in tabs)

        assert "Stripe didn't answer" in first.text
        assert "hasn't confirmed that yet" in first.text
        assert "This isn't possible right now" in second.text
        assert at_stripe(simulator) == {"4444"}

    def test_may_be_sent_twice(self, saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
        question = BillingPage(saved).removal(VISA_TITLE)
        question.confirm()

        page = after(saved, question.confirm())

        assert "It was already removed" in page.text
        assert page.titles == [MASTERCARD_TITLE]
        assert len(kinds(rows, "payment_method.detached")) == 1

    def test_is_not_claimed_while_stripe_is_away(
        self, app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        question = BillingPage(saved).removal(VISA_TITLE)
        simulator.faults.add("503", times=50)

        page = after(saved, question.confirm())

        assert "Stripe didn't answer" in page.text
        assert "You asked to remove it. Stripe hasn't confirmed that yet." in page.text
        assert "hasn't confirmed that yet" in RemovalPage(saved, question.path).text
        simulator.faults.clear()
        with time_machine.travel(db.utcnow() + LATER, tick=True):
            with app.app_context():
                sync.run_until_idle()
            again = BillingPage(saved)
            assert "hasn't confirmed" not in again.text
            assert after(saved, again.removal(VISA_TITLE).confirm()).titles == [MASTERCARD_TITLE]

    def test_that_stripe_refuses_stays_possible(
        self, app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        question = BillingPage(saved).removal(MASTERCARD_TITLE)
        simulator.detach_payment_method(method_id(rows, "4242"))  # the one that would become the default

        page = after(saved, question.confirm())

        assert "We couldn't do that right now" in page.text
        assert [row.removal_asked_at for row in rows(PaymentMethod)] == [None, None]
        assert at_stripe(simulator) == {"4444"}

    def test_survives_the_death_of_the_process(
        self, app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        with app.app_context():  # as after the first commit
            session = db.session()
            asked_at = db.utcnow()
            session.execute(
                sa.update(PaymentMethod)
                .where(PaymentMethod.last4 == "4242")
                .values(removal_asked_at=asked_at)
            )
            session.execute(sa.update(Payer).values(due_at=asked_at + SETTLE_DELAY, due_reason="asked"))
            session.commit()
        assert "hasn't confirmed that yet" in BillingPage(saved).text

        with time_machine.travel(db.utcnow() + LATER, tick=True):
            with app.app_context():
                sync.run_until_idle()

            page = after(saved, BillingPage(saved).removal(VISA_TITLE).confirm())

        assert page.titles == [MASTERCARD_TITLE]


class TestAGuest:
    """Somebody who came by a link, which may have been forwarded."""

    @pytest.mark.parametrize("path", ["/billing/default", "/billing/remove", "/billing/keep"])
    def test_changes_nothing_that_is_hidden(
        self, guest: FlaskClient, simulator: Simulator, rows: Rows, path: str
    ) -> None:
        form = BillingPage(guest).page.one("form", action="/resume")
        form.attributes["action"] = path

        answer = press(guest, form, method=method_id(rows, "4242"))

        assert answer.status_code == 404
        assert at_stripe(simulator) == {"4242", "4444", "0005"}
        assert default_at_stripe(simulator) == "0005"

    def test_sees_no_question_about_what_is_hidden(self, guest: FlaskClient, rows: Rows) -> None:
        path = f"/billing/remove?customer={rows(Customer)[0].id}&method={method_id(rows, '4242')}"

        answer = guest.get(path)

        assert answer.status_code == 404
        assert not Page.of(answer).tells("4242")

    def test_can_not_leave_the_customer_without_a_default(
        self, guest: FlaskClient, simulator: Simulator, rows: Rows
    ) -> None:
        path = f"/billing/remove?customer={rows(Customer)[0].id}&method={method_id(rows, '0005')}"

        assert "Add another one first" in RemovalPage(guest, path).text

    def test_does_not_get_to_stripes_page(self, guest: FlaskClient) -> None:
        form = BillingPage(guest).page.one("form", action="/resume")
        form.attributes["action"] = "/billing/stripe"

        assert press(guest, form).status_code == 404


class TestSomebodyElse:
    """Another customer, and a browser that nobody knows."""

    @pytest.mark.parametrize("path", ["/billing/default", "/billing/remove", "/billing/keep"])
    def test_changes_nothing_by_an_id(
        self, app: Flask, saved: FlaskClient, simulator: Simulator, rows: Rows, path: str
    ) -> None:
        other = app.test_client()
        sign_up(other, name="Eve", email="eve@example.com", key="eve", subject_keys=["eve"])
        form = BillingPage(other).page.one("form", action="/resume")
        form.attributes["action"] = path
        theirs = min(rows(Customer), key=lambda row: row.created_at).id

        by_method = press(other, form, method=method_id(rows, "4242"))
        by_customer = press(other, form, method=method_id(rows, "4242"), customer=theirs)
        nonsense = press(other, form, method="x", customer="x")

        assert [answer.status_code for answer in (by_method, by_customer, nonsense)] == [404, 404, 404]
        assert at_stripe(simulator) == {"4242", "4444"}

    def test_needs_the_token_of_our_page(self, saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
        fields = {"customer": rows(Customer)[0].id, "method": method_id(rows, "4242")}

        for path in ("/billing/default", "/billing/remove", "/billing/keep", "/billing/stripe"):
            assert saved.post(path, data=fields).status_code == 400
        assert at_stripe(simulator) == {"4242", "4444"}


class TestStripesPage:
    """Stripe's own portal, where the account has one."""

    def press(self, client: FlaskClient) -> TestResponse:
        return BillingPage(client).press("/billing/stripe")

    def test_opens(self, saved: FlaskClient, simulator: Simulator, rows: Rows) -> None:
        answer = self.press(saved)

        assert answer.status_code == 303
        [opened] = simulator.store.portal_sessions.values()
        assert answer.location == opened["url"]
        assert opened["return_url"].endswith(f"/billing?customer={rows(Customer)[0].id}")
        assert kinds(rows, "stripe_portal.opened") == [("stripe_portal.opened", "visitor")]

    def test_that_does_not_open_loses_nothing(self, saved: FlaskClient, simulator: Simulator) -> None:
        tab = BillingPage(saved)
        simulator.faults.add("503", "POST /v1/billing_portal/sessions", times=5)

        page = after(saved, tab.press("/billing/stripe"))

        assert "We can't open Stripe's page right now" in page.text
        assert page.titles == [MASTERCARD_TITLE, VISA_TITLE]

    def test_is_not_there_before_stripe_knows_the_customer(
        self, client: FlaskClient, simulator: Simulator
    ) -> None:
        simulator.faults.add("503", "POST /v1/customers", times=50)
        SignupPage(client).submit()
        form = BillingPage(client).page.one("form", action="/resume")
        form.attributes["action"] = "/billing/stripe"

        assert press(client, form).status_code == 404
