"""An operator asks Stripe about a customer at once, and reads what was found."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import doctor, payers, webhooks
from app.core import db
from app.simulator import Simulator
from tests.support.console_customer import Console, ConsoleOf, told
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.world import World


class TestCheckingNow:
    def test_says_that_nothing_has_changed(self, saved: Person, console_of: ConsoleOf, rows: Rows) -> None:
        assert "Up to date with Stripe." in console_of(saved).said("check")

        [(actor, facts)] = told(rows, "customer.checked")
        assert actor.startswith("operator:")
        assert facts == {"outcome": "no changes"}

    def test_asks_stripe_even_if_it_was_asked_just_now(
        self, saved: Person, console_of: ConsoleOf, calls: StripeCalls
    ) -> None:
        console_of(saved).press("check")
        calls.clear()

        console_of(saved).press("check")

        assert calls.made

    def test_says_what_has_changed(self, person: Person, console_of: ConsoleOf) -> None:
        person.save_card()

        said = console_of(person).said("check")

        assert "Updated from Stripe: On Stripe's page, now Saved (Visa •••• 4242)." in said
        assert "Checked with Stripe: On Stripe's page, now Saved (Visa •••• 4242) " in said

    def test_says_so_when_only_what_is_attached_has_changed(
        self, saved: Person, console_of: ConsoleOf, world: World
    ) -> None:
        world.attach_card(saved)

        assert "Updated from Stripe: payment methods changed." in console_of(saved).said("check")

    def test_stays_calm_when_stripe_is_away(
        self, saved: Person, console_of: ConsoleOf, simulator: Simulator, rows: Rows
    ) -> None:
        simulator.faults.add("503", "*", times=20)

        said = console_of(saved).said("check")

        assert "Stripe did not answer. This page shows the last known state." in said
        assert "Visa •••• 4242" in said
        assert told(rows, "customer.checked")[0][1] == {"outcome": "no answer"}

    def test_does_no_harm_to_whom_stripe_does_not_know(
        self, client: FlaskClient, customer: dict[str, Any]
    ) -> None:
        assert "Up to date with Stripe." in Console(client, customer["id"]).said("check")

    def test_names_what_keeps_events_away(
        self, person: Person, console_of: ConsoleOf, simulator: Simulator
    ) -> None:
        endpoint = simulator.store.webhook_endpoints.snapshot()[0]["id"]
        simulator.change_endpoint(endpoint, enabled=False)
        person.save_card()

        said = console_of(person).said("check")

        assert "Why no event arrived: The endpoint is disabled." in said

    def test_suspects_the_webhook_until_an_event_comes(
        self, person: Person, console_of: ConsoleOf, world: World, rows: Rows
    ) -> None:
        person.save_card()

        at_once = console_of(person).said("check")
        world.settle()
        later = console_of(person).page.text

        assert "The reason" not in at_once
        assert "Events were missed A check" in at_once
        assert "found a change without an event: On Stripe's page, now Saved (Visa •••• 4242)." in at_once
        assert "deleted, disabled or given a new secret" in at_once
        assert "Events were missed" not in later
        assert len(told(rows, "sync.untold")) == 1

    def test_suspects_nothing_when_an_event_has_told(
        self, app: Flask, person: Person, console_of: ConsoleOf, simulator: Simulator, rows: Rows
    ) -> None:
        person.save_card()
        while simulator.deliver_due():
            pass
        with app.app_context():
            webhooks.dispatch(db.session())

        console_of(person).press("check")

        assert told(rows, "sync.untold") == []
        assert "Events were missed" not in console_of(person).page.text

    def test_examines_an_app_whose_events_are_in_doubt(
        self, app: Flask, saved: Person, console_of: ConsoleOf, rows: Rows
    ) -> None:
        with app.app_context():
            payers.fresh(db.session(), saved.payer.id).drift = "setup.succeeded"
            db.session().commit()

        console_of(saved).press("check")

        assert len(rows(doctor.Examination)) == 1
