"""Stripe learns the name and email that we have; if it refuses them, we note that and go on."""

import time_machine
from flask import Flask

from app import db, payers
from app.journal import Entry
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World

REFUSED = {"type": "invalid_request_error", "message": "Invalid email address.", "param": "email"}


def announce(app: Flask, person: Person) -> None:
    """Stripe may have other details than we by now."""
    with app.app_context():
        payers.announce_contact(db.session(), person.payer.id)


def refusals(rows: Rows) -> list[dict[str, str]]:
    return [entry.facts for entry in rows(Entry) if entry.kind == "stripe_customer.contact_refused"]


def test_is_told_what_is_stored(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    world.stripe(
        "POST", f"/v1/customers/{person.stripe_customer_id}", name="Other", email="other@example.com"
    )
    announce(app, person)

    clock.shift(61)
    world.settle()

    there = world.simulator.books.customers[person.stripe_customer_id]
    assert (there["name"], there["email"]) == ("Ada Lovelace Ltd", "ada@example.com")
    assert not person.payer.is_contact_due
    assert refusals(rows) == []


def test_a_refusal_is_noted_and_the_convergence_completes(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    announce(app, person)
    calls.refusals[f"POST /v1/customers/{person.stripe_customer_id}"] = REFUSED
    person.save_card("4000000000000002")

    clock.shift(61)
    world.settle()

    assert person.status == "failed"  # the card was declined: all else is known
    assert (person.payer.is_contact_due, person.payer.attempts, person.payer.last_error) == (False, 0, None)
    assert refusals(rows) == [{"stripe_customer_id": person.stripe_customer_id}]
    assert person.payer.drift is None


def test_a_refusal_is_not_repeated(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    announce(app, person)
    calls.refusals[f"POST /v1/customers/{person.stripe_customer_id}"] = REFUSED

    for _ in range(3):
        clock.shift(3600)
        world.settle()

    assert calls.made.count(f"POST /v1/customers/{person.stripe_customer_id}") == 1
    assert len(refusals(rows)) == 1


def test_a_customer_that_stripe_deleted_is_no_refusal(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    announce(app, person)
    world.simulator.delete_customer(person.stripe_customer_id)
    world.lose_events()

    clock.shift(61)
    world.settle()

    assert person.payer.gone_at is not None
    assert refusals(rows) == []
    assert_agrees(person)
