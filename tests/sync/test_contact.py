"""Stripe learns the name and email that we have; if it refuses them, we note that and go on."""

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.audit import Entry
from app.core import db
from app.payers import Payer
from app.payers.contact import mark_contact
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.tokens import program
from tests.support.truth import assert_agrees
from tests.support.world import World

REFUSED = {"type": "invalid_request_error", "message": "Invalid email address.", "param": "email"}


def announce(app: Flask, person: Person) -> None:
    """Let Stripe be told the stored details."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        mark_contact(session, Payer.id == person.payer.id, name=True, email=True)
        session.commit()


def rename_at_stripe(world: World, person: Person) -> None:
    path = f"/v1/customers/{person.stripe_customer_id}"
    world.stripe("POST", path, name="Other", email="other@example.com")


def at_stripe(world: World, person: Person) -> tuple[str, str | None]:
    there = world.simulator.store.customers[person.stripe_customer_id]
    return there["name"], there["email"]


def refusals(rows: Rows) -> list[dict[str, str]]:
    return [entry.facts for entry in rows(Entry) if entry.kind == "stripe_customer.contact_refused"]


def test_is_told_what_is_stored(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    rename_at_stripe(world, person)
    announce(app, person)

    clock.shift(61)
    world.settle()

    assert at_stripe(world, person) == ("Ada Lovelace Ltd", "ada@example.com")
    assert not person.payer.is_contact_due
    assert refusals(rows) == []


def test_a_refusal_is_noted_and_the_convergence_completes(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    rename_at_stripe(world, person)
    announce(app, person)
    calls.refusals[f"POST /v1/customers/{person.stripe_customer_id}"] = REFUSED
    person.save_card("4000000000000002")

    clock.shift(61)
    world.settle()

    assert person.status == "failed"  # the card was declined: all else is known
    assert (person.payer.is_contact_due, person.payer.attempts, person.payer.last_error) == (False, 0, None)
    [refusal] = refusals(rows)
    assert refusal["reason"] == person.payer.contact_refusal == "Invalid email address."
    assert person.payer.drift is None


def test_a_refusal_is_not_repeated(
    app: Flask, clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    rename_at_stripe(world, person)
    announce(app, person)
    calls.refusals[f"POST /v1/customers/{person.stripe_customer_id}"] = REFUSED

    calls.clear()
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

    assert person.payer.stripe_deleted_at is not None
    assert refusals(rows) == []
    assert_agrees(person)


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A program that may do everything."""
    return program(app)


def rename(api: FlaskClient, person: Person, name: str, **details: str) -> None:
    body = {"name": name, "key": "person-1", **details}
    assert api.put(f"/api/v1/customers/{person.payer.customer_id}", json=body).status_code == 200


def test_a_program_changes_it_at_stripe_too(world: World, person: Person, api: FlaskClient) -> None:
    rename(api, person, "Ada & Co", primaryEmail="new@example.com")

    world.settle()

    assert at_stripe(world, person) == ("Ada & Co", "new@example.com")
    assert not person.payer.is_contact_due


def test_what_stripe_has_is_not_sent_again(
    world: World, person: Person, api: FlaskClient, calls: StripeCalls
) -> None:
    rename(api, person, "Ada & Co", primaryEmail="new@example.com")
    world.work_once()
    calls.clear()

    for _ in range(5):
        world.work_once()

    assert at_stripe(world, person) == ("Ada & Co", "new@example.com")
    assert calls.made == []


def test_what_is_left_out_is_cleared_at_stripe(world: World, person: Person, api: FlaskClient) -> None:
    rename(api, person, "Ada & Co")

    world.settle()

    assert at_stripe(world, person)[0] == "Ada & Co"
    assert not at_stripe(world, person)[1]


def test_what_did_not_change_here_stays_as_it_is_at_stripe(
    world: World, person: Person, api: FlaskClient
) -> None:
    rename_at_stripe(world, person)

    rename(api, person, "Ada & Co", primaryEmail="ada@example.com")
    world.settle()

    assert at_stripe(world, person) == ("Ada & Co", "other@example.com")


@pytest.mark.parametrize("fault", ["503", "500_after", "reset_after", "timeout_after"])
def test_a_change_reaches_stripe_whatever_fails_meanwhile(
    fault: str, world: World, person: Person, api: FlaskClient, clock: time_machine.Traveller
) -> None:
    world.simulator.faults.add(fault, "POST /v1/customers/*", times=4)
    rename(api, person, "Twice & Co", primaryEmail="twice@example.com")
    world.work()

    rename(api, person, "Ada Lovelace Ltd", primaryEmail="ada@example.com")  # back again
    for _ in range(8):
        clock.shift(60)
        world.settle()

    assert at_stripe(world, person) == ("Ada Lovelace Ltd", "ada@example.com")
    assert not person.payer.is_contact_due


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("call", ["GET /v1/*", "POST /v1/customers/*"])
def test_a_change_during_a_convergence_is_not_lost(
    moment: str, call: str, world: World, person: Person, api: FlaskClient, calls: StripeCalls
) -> None:
    rename(api, person, "First & Co", primaryEmail="first@example.com")
    at = calls.before if moment == "before" else calls.after

    at(call, elsewhere(lambda: rename(api, person, "Last & Co", primaryEmail="last@example.com")))
    world.settle()

    assert at_stripe(world, person) == ("Last & Co", "last@example.com")
    assert not person.payer.is_contact_due


def test_what_somebody_has_changed_there_already_is_not_sent(
    world: World, person: Person, api: FlaskClient, calls: StripeCalls
) -> None:
    rename_at_stripe(world, person)
    world.settle()
    calls.clear()

    rename(api, person, "Other", primaryEmail="other@example.com")
    world.settle()

    assert [call for call in calls.made if call.startswith("POST")] == []
    assert not person.payer.is_contact_due
