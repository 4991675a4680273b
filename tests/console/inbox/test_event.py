"""The page of an event says what came, what it did, and why it failed. Only those who may see personal data
see its payload, and each look is written down."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.webhooks import Event
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.console_inbox import address_of, change, notes
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World


class TestOneEvent:
    """The page of one event."""

    def test_shows_what_the_convergence_that_settled_it_changed(
        self, world: World, person: Person, console: FlaskClient, rows: Rows
    ) -> None:
        person.save_card()
        world.settle()
        [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

        page = Page.of(console.get(address_of(rows, succeeded.id)))

        assert page.h1 == "Setup succeeded"
        assert "Visa •••• 4242 saved" in page.one("section", aria_labelledby="changed").text
        assert page.one("main").all("a", href=f"/operator/customers/{person.payer.customer_id}")

    def test_says_when_it_told_nothing_new(
        self, world: World, person: Person, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event("customer.updated", world.simulator.store.customers[person.stripe_customer_id]))
        world.work()

        page = Page.of(console.get(address_of(rows)))

        assert "It tells nothing new." in page.one("section", aria_labelledby="became").text
        assert "We already knew this" in page.one("section", aria_labelledby="changed").text

    def test_says_how_often_stripe_was_asked_in_vain(
        self, world: World, person: Person, console: FlaskClient, rows: Rows
    ) -> None:
        person.save_card()
        world.simulator.faults.add("500", "GET *", times=100)
        world.settle()
        [succeeded] = [found for found in rows(Event) if found.type == "setup_intent.succeeded"]

        page = Page.of(console.get(address_of(rows, succeeded.id)))

        became = page.one("section", aria_labelledby="became").text
        assert "Waiting" in became
        assert "after 1 failed attempt" in became
        assert "Stripe had a problem." in became
        assert "None yet." in page.text

    @pytest.mark.parametrize(
        ("state", "said"),
        [("new", "Next attempt"), ("dead", "Error"), ("ignored", "Reason")],
    )
    def test_says_how_one_stands_that_is(
        self, state: str, said: str, app: Flask, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, state=state, reason=None if state == "new" else "For a reason.", attempts=2)

        page = Page.of(console.get(address_of(rows)))

        assert said in page.one("section", aria_labelledby="became").text

    def test_says_that_one_was_fetched(
        self, app: Flask, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, origin="backfill")

        assert "Stripe never delivered it" in console.get(address_of(rows)).text

    @pytest.mark.parametrize("address", ["/operator/events/x/evt_1", "/operator/events/{app}/evt_2"])
    def test_is_not_found_where_there_is_none(
        self, address: str, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())

        answer = console.get(address.format(app=rows(Event)[0].app_id))

        assert answer.status_code == 404
        assert "There is no such event." in Page.of(answer).text

    def test_escapes_whatever_stripe_sent(self, postbox: Postbox, console: FlaskClient, rows: Rows) -> None:
        evil = "<script>alert(1)</script>"
        postbox.post(event(evil, {"id": evil, "object": evil, evil: evil}))

        page = Page.of(console.get(address_of(rows)))

        assert page.h1 == evil
        assert evil not in page.html

    def test_says_when_the_payload_is_no_longer_kept(
        self, app: Flask, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, state="ignored", payload="")

        page = Page.of(console.get(address_of(rows)))

        assert "payload 90 days after it is processed" in page.text
        assert "Retry now" not in page.text


class TestPersonalData:
    """What an event says of a person."""

    PERSON = {  # noqa: RUF012
        "id": "cus_Person12",
        "object": "customer",
        "email": "ada@example.com",
        "name": "Ada Lovelace",
        "phone": "+15550100",
        "address": {"line1": "12 Analytical Row"},
        "client_secret": "seti_1_secret_2",
        "url": "https://checkout.stripe.com/c/pay/cs_1#secret",
        "metadata": {"om_app_id": "ours", "nickname": "The Countess"},
        "card": {"brand": "visa", "last4": "4242"},
        "status": "requires_action",
        "something_new": "Ada again",
    }
    PRIVATE = ("ada@example.com", "Ada", "+15550100", "Analytical", "Countess", "4242")

    def test_is_folded_for_everybody(self, app: Flask, postbox: Postbox, rows: Rows) -> None:
        postbox.post(event("customer.updated", self.PERSON))

        for role in ("viewer", "operator", "admin"):
            text = sign_in(app, role).get(address_of(rows)).text
            payload = Page(text).one("pre").text
            assert not [word for word in self.PRIVATE if word in payload]
            for shown in ("cus_Person12", "customer.updated", "visa", "requires_action", "ours"):
                assert shown in payload

    def test_is_opened_by_operators_and_that_is_written_to_the_audit_log(
        self, app: Flask, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event("customer.updated", self.PERSON))

        answer = post(console, address_of(rows) + "/personal-data")

        payload = Page.of(answer).one("pre").text
        assert [word for word in self.PRIVATE if word not in payload] == []
        [entry] = notes(rows, "event.personal_data_shown")
        assert entry.actor.startswith("operator:")
        assert entry.facts == {"event_id": "evt_1", "event_type": "customer.updated"}

    def test_is_not_opened_by_viewers(self, app: Flask, postbox: Postbox, rows: Rows) -> None:
        postbox.post(event("customer.updated", self.PERSON))
        viewer = sign_in(app, "viewer")

        answer = post(viewer, address_of(rows) + "/personal-data")

        assert answer.status_code == 403
        assert "ada@example.com" not in answer.text
        assert notes(rows, "event.personal_data_shown") == []
        assert "Only operators can show them." in viewer.get(address_of(rows)).text

    def test_never_shows_secrets(self, postbox: Postbox, console: FlaskClient, rows: Rows) -> None:
        postbox.post(event("customer.updated", self.PERSON))

        opened = post(console, address_of(rows) + "/personal-data").text

        assert "seti_1_secret_2" not in opened
        assert "#secret" not in opened

    def test_is_not_offered_where_there_is_none(
        self, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())

        assert "Show personal data" not in console.get(address_of(rows)).text

    def test_of_what_can_not_be_read_shows_nothing(
        self, app: Flask, postbox: Postbox, console: FlaskClient, rows: Rows
    ) -> None:
        postbox.post(event())
        change(app, payload="Ada Lovelace, no JSON")

        page = Page.of(console.get(address_of(rows)))

        assert "Lovelace" not in page.text
