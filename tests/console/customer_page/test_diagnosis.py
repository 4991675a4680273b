"""The page of a customer says in plain words how far the customer came at Stripe, and what to do next."""

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask

from app import payers
from app.checkout import CheckoutSession
from app.core import db
from app.simulator import Simulator
from tests.support.api import Api
from tests.support.browser import Page
from tests.support.console_customer import check, diagnosis, look, section, tags
from tests.support.people import Person
from tests.support.world import World


class TestDiagnosis:
    def test_of_a_customer_for_whom_nothing_was_begun(self, app: Flask, api: Api) -> None:
        customer = api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()

        page = look(customer["id"], app)

        assert "Not started This customer has not been to Stripe's page" in diagnosis(page)
        assert page.one("section", class_="diagnosis").one("button").text == "Make a link"
        assert "there is no Stripe customer yet" in section(page, "Payment method").text

    def test_of_a_customer_who_is_on_stripes_page(self, app: Flask, person: Person) -> None:
        page = look(person, app)

        assert "On Stripe's page The customer opened Stripe's page" in diagnosis(page)
        assert "It closes in 1 day" in diagnosis(page)
        assert tags(section(page, "Checkout sessions")) == ["Open"]

    def test_of_a_page_that_has_been_open_for_long(
        self, app: Flask, person: Person, clock: time_machine.Traveller
    ) -> None:
        clock.shift(timedelta(minutes=40))

        page = look(person, app)

        assert "40 minutes ago and has not finished" in diagnosis(page)
        timeline = section(page, "Timeline")
        assert timeline.all("li")[0].text.startswith("Checkout session is open Overdue since")

    def test_of_a_saved_card(self, app: Flask, world: World) -> None:
        person = world.person()
        person.save_card()
        world.settle()

        page = look(person, app)

        assert "Saved Visa •••• 4242 is saved and is the default payment method." in diagnosis(page)
        methods = section(page, "Payment method")
        assert "valid to the end of 12/2034, is the default. It is the only one saved so far." in methods.text
        assert [
            line.all("p")[0].text for line in section(page, "Timeline").all("li", class_="timeline-success")
        ]

    def test_of_a_declined_card(self, app: Flask, world: World) -> None:
        person = world.person()
        person.save_card("4000000000009995")
        check(person, app)

        page = look(person, app)

        assert "Declined The bank says there is not enough money on the card. Send a link" in diagnosis(page)
        opened = section(page, "Checkout sessions").text
        assert "Open, last attempt declined" in opened
        assert "Stripe's message: “Your card has insufficient funds.”" in opened
        assert "card_declined · insufficient_funds" in opened

    def test_of_an_unfinished_3d_secure(self, app: Flask, world: World) -> None:
        person = world.person()
        person.save_card("4000002500003155")
        check(person, app)

        page = look(person, app)

        assert "3-D Secure unfinished The bank asked for confirmation" in diagnosis(page)
        assert tags(section(page, "Checkout sessions")) == ["Open, 3-D Secure unfinished"]

    def test_of_a_test_payment_on_its_way(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.pay_by_bank(person.session_id, verify="later")
        check(person, app)

        page = look(person, app)

        assert "Waiting for the bank The customer completed the form" in diagnosis(page)
        assert "a small test payment to the bank account" in diagnosis(page)
        assert tags(section(page, "Checkout sessions")) == ["Completed, waiting for the bank"]
        assert "Waiting for the bank Pending" in section(page, "Timeline").text

    def test_of_a_test_payment_that_came_back(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.pay_by_bank(person.session_id, verify="later")
        simulator.verify_microdeposits(person.session_id, ok=False)
        check(person, app)

        page = look(person, app)

        assert "Declined The bank sent the test payment back" in diagnosis(page)
        assert tags(section(page, "Checkout sessions")) == ["Completed, then refused"]

    def test_of_a_mandate_that_is_pending_and_then_ended(self, app: Flask, world: World) -> None:
        person = world.person()
        person.save_card()
        world.settle()

        pending = diagnosis(self._with_mandate(person, "pending", app))
        inactive = diagnosis(self._with_mandate(person, "inactive", app))

        assert (
            "Waiting for the bank The bank has not confirmed the mandate for Visa •••• 4242 yet." in pending
        )
        assert (
            "Can't be debited Visa •••• 4242 is saved, but the bank or the account holder ended the mandate"
            in inactive
        )

    def test_of_a_bank_that_takes_its_time(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.pay_by_bank(person.session_id, verify="later")
        check(person, app)
        with app.app_context():
            opened = db.session().get_one(CheckoutSession, person.checkout_sessions[0].id)
            opened.next_action = None
            db.session().commit()

        assert "Nothing can be charged until the bank confirms" in diagnosis(look(person, app))

    def test_of_an_abandoned_page(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.expire_session(person.session_id)
        world.settle()

        page = look(person, app)

        assert "Abandoned The customer opened Stripe's page" in diagnosis(page)
        assert "and it expired" in diagnosis(page)
        assert tags(section(page, "Checkout sessions")) == ["Expired"]

    def test_of_a_page_abandoned_after_a_decline(
        self, app: Flask, world: World, simulator: Simulator
    ) -> None:
        person = world.person()
        person.save_card("4000000000000127")
        simulator.expire_session(person.session_id)
        check(person, app)

        assert "The last attempt was declined: The security code (CVC) is wrong." in diagnosis(
            look(person, app)
        )

    def test_of_a_card_that_expires_soon_and_of_one_that_has(
        self, app: Flask, world: World, clock: time_machine.Traveller
    ) -> None:
        person = world.person()
        person.save_card(expiry="06 / 30")
        world.settle()

        soon = diagnosis(look(person, app))
        clock.move_to(datetime(2030, 7, 2, tzinfo=UTC))
        over = diagnosis(look(person, app))

        assert "Expires soon Visa •••• 4242 is valid until the end of 06/2030." in soon
        assert "Expired Visa •••• 4242 was valid until the end of 06/2030 and can't be charged." in over

    @staticmethod
    def _with_mandate(person: Person, status: str, app: Flask) -> Page:
        with app.app_context():
            method = payers.fresh(db.session(), person.payer.id).methods[0]
            method.mandate_status = status
            db.session().commit()
        return look(person, app)
