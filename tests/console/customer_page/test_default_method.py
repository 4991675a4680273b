"""The page of a customer says which payment method is the default, and why."""

import pytest
from flask import Flask

from app.simulator import Simulator
from tests.support.api import Api
from tests.support.console import operator, post, sign_in
from tests.support.console_customer import check, diagnosis, look, section
from tests.support.people import Person
from tests.support.world import World


class TestWhyItIsCharged:
    """The reason why one of several methods is the default."""

    @pytest.fixture
    def person(self, world: World, app: Flask) -> Person:
        """A customer with two cards; the first is the default."""
        person = world.person()
        person.save_card()
        world.settle()
        world.attach_card(person)
        check(person, app)
        return person

    def test_an_operator_chose_it(self, app: Flask, person: Person) -> None:
        grace = operator(app, "operator", name="Grace Hopper")
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        client = sign_in(app, who=grace)
        path = f"/operator/customers/{person.payer.customer_id}"

        post(client, f"{path}/charge", app_id=other.app_id, method_id=other.id)

        assert "Grace Hopper chose it here." in diagnosis(look(person, app))

    def test_a_program_chose_it(self, app: Flask, person: Person, api: Api) -> None:
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        api.put(
            f"/customers/{person.payer.customer_id}/stripe",
            {"stripeCustomerId": person.stripe_customer_id, "stripeDefaultPaymentMethodId": other.id},
        )

        assert "A program chose it through the API." in diagnosis(look(person, app))

    def test_somebody_chose_it_in_the_dashboard(self, app: Flask, person: Person, world: World) -> None:
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        world.choose_default(person, other.id)
        world.settle()

        assert "It was chosen in Stripe's Dashboard" in diagnosis(look(person, app))

    def test_it_was_saved_last_through_the_portal(self, app: Flask, person: Person) -> None:
        text = diagnosis(look(person, app))

        assert "saved last through this portal" in text
        assert "Methods added later at Stripe did not change it." in text

    def test_the_others_are_gone(
        self, app: Flask, person: Person, world: World, simulator: Simulator
    ) -> None:
        other = next(row for row in person.methods if row.id != person.payer.default_method_id)
        world.choose_default(person, other.id)
        world.settle()
        simulator.detach_payment_method(next(row.id for row in person.methods if row.id != other.id))
        world.settle()

        assert "It is the only one attached." in section(look(person, app), "Payment method").text

    def test_the_first_was_kept(self, app: Flask, person: Person) -> None:
        settings = app.extensions["gangway.settings"]
        app.extensions["gangway.settings"] = settings.model_copy(update={"payment_method_policy": "keep"})

        assert "It was saved first" in diagnosis(look(person, app))
