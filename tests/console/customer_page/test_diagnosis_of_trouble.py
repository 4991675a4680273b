"""The page of a customer says in plain words what went wrong: at Stripe, with the key, or with the
webhook."""

from datetime import timedelta

import sqlalchemy as sa
import time_machine
from flask import Flask

from app import apps, doctor, sync, webhooks
from app.core import db
from app.core.db import new_id
from app.simulator import DEFAULT_API_KEY, Simulator, revoke_key
from tests.support.api import Api
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.console_customer import check, diagnosis, look, section, tags
from tests.support.world import World


class TestDiagnosis:
    def test_of_a_card_detached_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        simulator.detach_payment_method(person.methods[0].id)
        world.settle()

        page = look(person, app)

        assert "Removed at Stripe Somebody removed Visa •••• 4242" in diagnosis(page)
        assert "in Stripe's Dashboard or customer portal" in diagnosis(page)
        assert "1 removed" in section(page, "Payment method").text

    def test_of_a_default_taken_back_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        simulator.choose_default(person.stripe_customer_id, None)
        world.settle()

        page = look(person, app)

        assert "No default payment method Payment methods are attached at Stripe" in diagnosis(page)
        assert "No payment method is the default" in section(page, "Payment method").text
        assert "Make default" in section(page, "Payment method").text

    def test_of_a_customer_deleted_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        simulator.delete_customer(person.stripe_customer_id)
        world.settle()

        page = look(person, app)

        assert "Deleted at Stripe Somebody deleted cus_" in diagnosis(page)
        assert "none: it no longer exists at Stripe" in section(page, "At Stripe").text
        assert "Attach another" in diagnosis(page)

    def test_of_a_stripe_customer_without_anything(self, app: Flask, api: Api, world: World) -> None:
        customer = api.post("/customers", {"name": "Ada", "key": "ada"}).get_json()
        made = world.stripe("POST", "/v1/customers", name="Ada")
        client = sign_in(app, "operator")
        with app.app_context():
            app_id = apps.find(db.session()).id
        fields = {"app_id": app_id, "stripe_customer_id": made["id"], "confirmed": "yes"}
        post(client, f"/operator/customers/{customer['id']}/attach", **fields)

        assert "Not started There is a Stripe customer, but no payment method was saved" in diagnosis(
            look(customer["id"], app)
        )

    def test_of_a_revoked_key(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        revoke_key(simulator.store, DEFAULT_API_KEY)
        check(person, app)

        page = look(person, app)
        known = diagnosis(page)

        assert known.startswith("Diagnosis Stripe rejects our API key Stripe first rejected it")
        assert "This page shows the state from" in known
        assert (
            page.one("a", class_="button secondary compact", href=self._app_page(app)).text == "View the app"
        )
        assert "Key rejected" in tags(section(page, "At Stripe"))

    def test_of_an_installation_without_stripe(self, bare_app: Flask) -> None:
        client = sign_in(bare_app, "admin")
        customer_id = new_id()
        post(client, "/operator/customers/new", customer_id=customer_id, name="Ada", key="ada")

        page = Page.of(client.get(f"/operator/customers/{customer_id}"))

        assert "No Stripe app is installed" in diagnosis(page)
        assert "Install Stripe" in diagnosis(page)

    def test_of_two_cards(self, app: Flask, world: World) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        world.attach_card(person)
        check(person, app)

        page = look(person, app)

        assert "Two methods are attached Visa •••• 4242 is the default." in diagnosis(page)
        assert "It was saved last through this portal (policy: replace)." in diagnosis(page)
        assert "Mastercard •••• 4444" in section(page, "Payment method").text

    def test_of_events_that_never_came(self, app: Flask, world: World, clock: time_machine.Traveller) -> None:
        person = world.person()
        person.save_card()
        world.lose_events()
        clock.shift(timedelta(minutes=20))
        world.work()

        at_first = section(look(person, app), "Timeline").text
        clock.shift(timedelta(minutes=6))
        with app.app_context():
            sync.run_maintenance(db.session())
        page = look(person, app)

        assert "Found by our own check; Stripe has sent no event yet Pending" in at_first
        assert "Saved Visa •••• 4242" in diagnosis(page)
        assert "Events were missed A check" in diagnosis(page)
        assert "found a change without an event: Setup succeeded; Payment method saved" in diagnosis(page)
        assert "Either Stripe could not reach this portal" in diagnosis(page)
        assert section(page, "Diagnosis").all("a", href=self._app_page(app))
        assert "Found by our own check; Stripe sent no event" in section(page, "Timeline").text

    def test_of_events_that_were_fetched_later(self, app: Flask, world: World) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        with app.app_context():
            for event in db.session().scalars(sa.select(webhooks.Event)):
                event.origin = "backfill"
            db.session().commit()

        page = look(person, app)

        assert "Stripe did not deliver 4 of the events below. We fetched them later." in diagnosis(page)
        assert "Fetched later" in tags(section(page, "Events"))

    def test_of_events_that_are_always_fetched(self, app: Flask, world: World) -> None:
        person = world.person()
        person.save_card()
        world.settle()
        with app.app_context():
            for event in db.session().scalars(sa.select(webhooks.Event)):
                event.origin = "backfill"
            db.session().commit()
        settings = app.extensions["gangway.settings"]
        app.extensions["gangway.settings"] = settings.model_copy(update={"webhooks": "off"})

        assert "never came" not in diagnosis(look(person, app))

    def test_of_a_webhook_that_was_found_broken(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.delete_endpoint(simulator.store.webhook_endpoints.snapshot()[0]["id"])
        with app.app_context():
            session = db.session()
            doctor.run(session, apps.find(session), actor="test")
            session.commit()

        page = look(person, app)

        assert "Events were missed We only notice changes at Stripe when we check." in diagnosis(page)
        assert "The webhook endpoint is gone." in diagnosis(page)

    def test_of_a_webhook_endpoint_that_somebody_deleted(
        self, app: Flask, world: World, simulator: Simulator
    ) -> None:
        person = world.person()
        simulator.delete_endpoint(simulator.store.webhook_endpoints.snapshot()[0]["id"])
        person.save_card()
        client = sign_in(app, "operator")

        said = Page.of(
            client.get(post(client, f"/operator/customers/{person.payer.customer_id}/check").location)
        )

        assert "Updated from Stripe: On Stripe's page, now Saved (Visa •••• 4242)." in said.text
        assert "Why no event arrived: The webhook endpoint is gone." in said.text

    def test_of_an_outage_at_stripe(self, app: Flask, world: World, simulator: Simulator) -> None:
        person = world.person()
        simulator.faults.add("500", "GET *", times=9)
        check(person, app)

        page = look(person, app)

        assert "Stripe did not answer Stripe had a problem." in diagnosis(page)
        assert "We try again" in diagnosis(page)
        assert "1 failed attempt" in section(page, "At Stripe").text

    @staticmethod
    def _app_page(app: Flask) -> str:
        with app.app_context():
            return f"/operator/stripe/{apps.find(db.session()).id}"


def test_no_answer_to_an_examination_says_nothing_about_events(world: World) -> None:
    """Stripe was away when the app was examined; then somebody signed up, and the event arrived."""
    operator = sign_in(world.app, "operator")
    with world.app.app_context():
        [app] = apps.installed(db.session())
    world.simulator.fault_settings.change({"outage": "503"})
    post(operator, f"/operator/stripe/{app.id}/examine")
    world.simulator.fault_settings.reset()
    person = world.person()
    person.save_card()
    world.settle()

    assert "missed" not in diagnosis(look(person, world.app))


def test_a_later_delivery_makes_an_older_examination_obsolete(world: World) -> None:
    operator = sign_in(world.app, "operator")
    with world.app.app_context():
        [app] = apps.installed(db.session())
    world.simulator.change_endpoint(app.webhook_endpoint_id, enabled=False)
    post(operator, f"/operator/stripe/{app.id}/examine")
    person = world.person()
    before = diagnosis(look(person, world.app))
    world.simulator.change_endpoint(app.webhook_endpoint_id, enabled=True)
    world.clock.shift(timedelta(seconds=5))
    person.save_card()
    world.settle()

    assert "The endpoint is disabled" in before
    assert "missed" not in diagnosis(look(person, world.app))
