"""A customer that was deleted at Stripe can be onboarded again."""

import time_machine
from flask import Flask
from werkzeug.test import TestResponse

from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.payers import Payer, PaymentStatus
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.tokens import program
from tests.support.truth import assert_agrees
from tests.support.world import World

SESSIONS = "/api/v1/stripe/checkout/sessions"


def asks_for_a_page(app: Flask, rows: Rows, **more: str) -> TestResponse:
    """A program asks for a page for the one customer that there is."""
    [customer] = rows(Customer)
    body = {
        "customer": {"id": customer.id},
        "options": {"successURL": "https://example.com/", "currency": "USD"},
    }
    return program(app).post(SESSIONS, json=body | more)


def gets_a_page(app: Flask, rows: Rows, person: Person) -> None:
    """The same, and it works."""
    answer = asks_for_a_page(app, rows)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    person.session_ids.append(answer.get_json()["sessionId"])


def living(rows: Rows) -> list[Payer]:
    """The payers that are not ended."""
    return [payer for payer in rows(Payer) if payer.deleted_at is None]


def test_gets_another_stripe_customer(app: Flask, world: World, person: Person, rows: Rows) -> None:
    person.save_card()
    world.settle()
    former = person.stripe_customer_id
    world.simulator.delete_customer(former)
    world.settle()

    gets_a_page(app, rows, person)
    person.save_card()
    world.settle()

    [payer] = living(rows)
    assert payer.stripe_customer_id == person.stripe_customer_id != former
    assert person.status == PaymentStatus.SAVED
    assert_agrees(person)
    assert [ended.stripe_customer_id for ended in rows(Payer) if ended.stripe_deleted_at] == [former]


def test_gets_one_though_nobody_has_told_us_of_the_deletion(
    app: Flask, world: World, person: Person, rows: Rows
) -> None:
    former = person.stripe_customer_id
    world.simulator.delete_customer(former)
    world.lose_events()

    gets_a_page(app, rows, person)
    person.save_card()
    world.settle()

    assert [payer.stripe_customer_id for payer in living(rows)] == [person.stripe_customer_id]
    assert_agrees(person)
    told = [entry.facts for entry in rows(Entry) if entry.kind == "stripe_customer.deleted"]
    assert told == [{"stripe_customer_id": former}]


def test_gets_one_again_and_again(app: Flask, world: World, person: Person, rows: Rows) -> None:
    known = {person.stripe_customer_id}
    for _ in range(3):
        world.simulator.delete_customer(person.stripe_customer_id)
        world.settle()
        gets_a_page(app, rows, person)
        known.add(person.stripe_customer_id)

    assert len(known) == 4
    assert len(living(rows)) == 1


def test_gets_the_same_one_when_it_is_asked_for_twice(
    app: Flask, world: World, person: Person, rows: Rows, calls: StripeCalls
) -> None:
    """The first try is cut off after Stripe has made the customer, and before we have stored it."""
    world.simulator.delete_customer(person.stripe_customer_id)
    world.settle()
    calls.refusals["POST /v1/checkout/sessions"] = {"type": "invalid_request_error", "message": "No."}
    assert asks_for_a_page(app, rows).status_code == 400
    calls.refusals.clear()
    calls.clear()

    gets_a_page(app, rows, person)

    alive = [found for found in world.simulator.store.customers.snapshot() if not found.get("deleted")]
    assert [found["id"] for found in alive] == [person.stripe_customer_id]


def test_gets_one_when_stripe_has_forgotten_the_former(
    app: Flask, world: World, person: Person, rows: Rows
) -> None:
    """As it does when test data is wiped."""
    former = person.stripe_customer_id
    world.simulator.store.customers.pop(former)

    gets_a_page(app, rows, person)

    assert [payer.stripe_customer_id for payer in living(rows)] == [person.stripe_customer_id]
    assert person.stripe_customer_id != former


def test_gets_none_when_stripe_refuses_for_another_reason(
    app: Flask, world: World, person: Person, rows: Rows, calls: StripeCalls
) -> None:
    calls.refusals["POST /v1/checkout/sessions"] = {
        "type": "invalid_request_error",
        "message": "This customer has no address.",
        "param": "customer",
    }

    answer = asks_for_a_page(app, rows)

    assert answer.status_code == 400
    assert "no address" in answer.get_data(as_text=True)
    assert len(rows(Payer)) == 1


def test_may_be_given_an_existing_stripe_customer_instead(
    app: Flask, world: World, person: Person, rows: Rows
) -> None:
    world.simulator.delete_customer(person.stripe_customer_id)
    world.settle()
    existing = world.stripe("POST", "/v1/customers")["id"]

    answer = asks_for_a_page(app, rows, stripeCustomerId=existing)

    assert answer.status_code == 201
    assert [payer.stripe_customer_id for payer in living(rows)] == [existing]


def test_may_be_bound_to_an_existing_stripe_customer_instead(
    app: Flask, world: World, person: Person, rows: Rows
) -> None:
    world.simulator.delete_customer(person.stripe_customer_id)
    world.settle()
    existing = world.stripe("POST", "/v1/customers")["id"]
    card = world.stripe("POST", "/v1/payment_methods/pm_card_visa/attach", customer=existing)["id"]
    [customer] = rows(Customer)

    answer = program(app).put(
        f"/api/v1/customers/{customer.id}/stripe",
        json={"stripeCustomerId": existing, "stripeDefaultPaymentMethodId": card},
    )
    world.settle()

    assert answer.status_code == 200
    assert [(payer.stripe_customer_id, payer.status) for payer in living(rows)] == [(existing, "saved")]


def test_can_not_be_given_the_deleted_one(app: Flask, world: World, person: Person, rows: Rows) -> None:
    world.simulator.delete_customer(person.stripe_customer_id)
    world.settle()

    answer = asks_for_a_page(app, rows, stripeCustomerId=person.stripe_customer_id)

    assert answer.status_code == 412
    assert "is deleted" in answer.get_data(as_text=True)


def test_is_found_by_the_events_of_the_new_one_alone(
    app: Flask, world: World, person: Person, rows: Rows, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.settle()
    world.simulator.delete_customer(person.stripe_customer_id)
    gets_a_page(app, rows, person)

    world.settle()
    person.save_card()
    world.settle()
    with app.app_context():
        db.session().close()

    assert_agrees(person)
