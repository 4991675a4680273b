"""What changes at Stripe about how to reach a customer comes here, and never overwrites what we have."""

import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import payers
from app.audit import Entry
from app.simulator import Payer
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.tokens import program
from tests.support.world import World

ADDRESS = {"address[line1]": "1 High St", "address[country]": "GB"}


def change_at_stripe(world: World, customer_id: str, **values: str) -> None:
    """Edit the customer in Stripe's Dashboard."""
    world.stripe("POST", f"/v1/customers/{customer_id}", **values)


def found(person: Person) -> list[tuple[str, str, str]]:
    return [(each.label, each.ours, each.theirs) for each in payers.differences(person.payer)]


def details(person: Person) -> tuple[str, str | None, dict[str, str] | None]:
    customer = person.payer.customer
    return customer.name, customer.primary_email, customer.billing_address


def make_customer(api: FlaskClient, **more: str) -> str:
    """Open a session as a program that knows no email; the Stripe customer (cus_…)."""
    body = {"customer": {"name": "Ada", "key": "ada"} | more, "options": {"currency": "USD"}}
    answer = api.post("/api/v1/stripe/checkout/sessions", json=body)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return str(answer.get_json()["stripeCustomerId"])


def customer_of(api: FlaskClient) -> dict[str, object]:
    found: dict[str, object] = api.get("/api/v1/customers/ada").get_json()
    return found


def test_another_name_or_email_there_is_a_difference_and_changes_nothing(
    world: World, person: Person
) -> None:
    world.settle()

    change_at_stripe(world, person.stripe_customer_id, name="Other", email="other@example.com")
    world.settle()

    assert found(person) == [
        ("Name", "Ada Lovelace Ltd", "Other"),
        ("Email", "ada@example.com", "other@example.com"),
    ]
    assert details(person)[:2] == ("Ada Lovelace Ltd", "ada@example.com")


def test_an_email_that_was_cleared_there_is_a_difference(world: World, person: Person) -> None:
    change_at_stripe(world, person.stripe_customer_id, email="")
    world.settle()

    assert found(person) == [("Email", "ada@example.com", "")]


def test_a_lost_event_is_made_up_for(world: World, person: Person, clock: time_machine.Traveller) -> None:
    world.settle()
    change_at_stripe(world, person.stripe_customer_id, name="Other")
    world.lose_events()

    clock.shift(9 * 24 * 3600)
    world.settle()

    assert found(person)[0] == ("Name", "Ada Lovelace Ltd", "Other")


def test_what_we_lack_is_filled(world: World, person: Person, rows: Rows) -> None:
    change_at_stripe(world, person.stripe_customer_id, phone="+44 20 1234", **ADDRESS)
    world.settle()

    assert details(person)[2] == {"line1": "1 High St", "country": "GB", "phoneNumber": "+44 20 1234"}
    assert found(person) == []
    [entry] = [entry for entry in rows(Entry) if entry.kind == "customer.adopted"]
    assert (entry.actor, entry.facts) == ("stripe", {"changed": "address, phone"})


def test_what_was_filled_once_is_not_overwritten(world: World, person: Person) -> None:
    change_at_stripe(world, person.stripe_customer_id, phone="+44 20 1234")
    world.settle()

    change_at_stripe(world, person.stripe_customer_id, phone="+44 20 9999")
    world.settle()

    assert details(person)[2] == {"phoneNumber": "+44 20 1234"}
    assert found(person) == [("Phone", "+44 20 1234", "+44 20 9999")]


def test_what_checkout_asked_for_is_taken(world: World, person: Person) -> None:
    person.save_card(payer=Payer(country="US", postal_code="12345"))
    world.settle()

    assert details(person)[2] == {"country": "US", "postalCode": "12345"}

    world.settle()
    assert found(person) == []  # Stripe keeps it on the session only, which is not asked about again


def test_a_change_of_ours_on_its_way_is_no_difference(
    app: Flask, world: World, person: Person, calls: StripeCalls
) -> None:
    world.settle()
    api = program(app)
    body = {"name": "New name", "key": "person-1", "primaryEmail": "new@example.com"}
    seen: list[object] = []

    def edit() -> None:
        assert api.put(f"/api/v1/customers/{person.payer.customer_id}", json=body).status_code == 200

    change_at_stripe(world, person.stripe_customer_id, name="Other")
    calls.after("GET /v1/*", elsewhere(edit))
    world.work()
    seen.append(found(person))
    world.settle()

    assert seen == [[]]
    assert found(person) == []
    assert world.simulator.store.customers[person.stripe_customer_id]["name"] == "New name"


def test_an_email_cleared_here_does_not_come_back(app: Flask, world: World, person: Person) -> None:
    world.settle()
    program(app).put(
        f"/api/v1/customers/{person.payer.customer_id}", json={"name": "Ada Lovelace Ltd", "key": "person-1"}
    )

    world.settle()
    world.settle()

    assert details(person)[1] is None
    assert world.simulator.store.customers[person.stripe_customer_id]["email"] is None
    assert found(person) == []


class TestProgramThatKnowsNoEmail:
    def test_gets_the_one_that_stripe_has(self, app: Flask, world: World) -> None:
        api = program(app)
        stripe_customer_id = make_customer(api)

        change_at_stripe(world, stripe_customer_id, email="ada@example.com")
        world.settle()

        assert customer_of(api)["primaryEmail"] == "ada@example.com"

    def test_may_repeat_its_call(self, app: Flask, world: World) -> None:
        api = program(app)
        stripe_customer_id = make_customer(api)
        change_at_stripe(world, stripe_customer_id, email="ada@example.com", phone="1", **ADDRESS)
        world.settle()

        assert make_customer(api) == stripe_customer_id
        assert customer_of(api)["primaryEmail"] == "ada@example.com"

    def test_does_not_remove_it_with_other_details(self, app: Flask, world: World) -> None:
        api = program(app)
        stripe_customer_id = make_customer(api)
        change_at_stripe(world, stripe_customer_id, email="ada@example.com", **ADDRESS)
        world.settle()

        api.put("/api/v1/customers/ada", json={"name": "Ada & Co", "key": "ada"})
        world.settle()

        assert customer_of(api)["primaryEmail"] == "ada@example.com"
        assert customer_of(api)["billingAddress"] == {"line1": "1 High St", "country": "GB"}
        there = world.simulator.store.customers[stripe_customer_id]
        assert (there["name"], there["email"]) == ("Ada & Co", "ada@example.com")

    def test_may_say_another_one(self, app: Flask, world: World) -> None:
        api = program(app)
        stripe_customer_id = make_customer(api)
        change_at_stripe(world, stripe_customer_id, email="ada@example.com")
        world.settle()

        api.put("/api/v1/customers/ada", json={"name": "Ada", "key": "ada", "primaryEmail": "a@b.example"})
        world.settle()
        api.put("/api/v1/customers/ada", json={"name": "Ada", "key": "ada"})
        world.settle()

        assert "primaryEmail" not in customer_of(api)
        assert world.simulator.store.customers[stripe_customer_id]["email"] is None


def test_what_no_column_holds_is_shown_and_not_taken(app: Flask, world: World) -> None:
    api = program(app)
    stripe_customer_id = make_customer(api)
    long_email = f"{'a' * 300}@example.com"

    change_at_stripe(world, stripe_customer_id, email=long_email, **{"address[country]": "Britain"})
    world.settle()

    assert "primaryEmail" not in customer_of(api)
    assert "billingAddress" not in customer_of(api)
