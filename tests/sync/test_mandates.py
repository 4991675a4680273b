"""A bank debit is ready when the bank goes along with it, and not a moment longer."""

from datetime import timedelta

import pytest
import time_machine

from app.audit import Entry
from app.payers import PaymentStatus
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.world import World


def mandate(world: World) -> str:
    """The only one that there is."""
    [found] = world.simulator.store.mandates.snapshot()
    return str(found["id"])


def told(rows: Rows) -> list[tuple[str | None, str]]:
    """What the audit log says of mandates."""
    entries = [entry.facts for entry in rows(Entry) if entry.kind == "mandate.updated"]
    return [(facts.get("before"), facts["after"]) for facts in entries]


@pytest.fixture
def debited(world: World, person: Person) -> Person:
    """Somebody who waits for the bank to agree."""
    world.simulator.pay_by_bank(person.session_id, "bacs_debit")
    world.settle()
    return person


def test_that_the_bank_has_still_to_accept_is_processing(debited: Person, rows: Rows) -> None:
    [method] = debited.methods
    assert (method.type, method.mandate_status) == ("bacs_debit", "pending")
    assert debited.status == debited.payer.status == PaymentStatus.PROCESSING
    assert debited.stripe_default == debited.payer.default_method_id
    assert told(rows) == [(None, "pending")]


def test_that_is_accepted_at_once_costs_no_further_call(
    world: World, person: Person, calls: StripeCalls, rows: Rows
) -> None:
    calls.clear()

    world.simulator.pay_by_bank(person.session_id, "sepa_debit")
    world.settle()

    assert len(calls.made) == 2
    assert person.methods[0].mandate_status == "active"
    assert person.status == PaymentStatus.SAVED
    assert told(rows) == []


def test_that_the_bank_accepts_makes_it_saved(world: World, debited: Person, rows: Rows) -> None:
    world.simulator.settle_mandate(mandate(world), "active")
    world.settle()

    assert debited.status == debited.payer.status == PaymentStatus.SAVED
    assert told(rows) == [(None, "pending"), ("pending", "active")]


def test_that_the_bank_takes_back_makes_it_failed(world: World, debited: Person, rows: Rows) -> None:
    for status in ("active", "inactive"):
        world.simulator.settle_mandate(mandate(world), status)
        world.settle()

    assert debited.status == debited.payer.status == PaymentStatus.FAILED
    assert told(rows)[-1] == ("active", "inactive")


def test_that_is_accepted_unheard_is_found_by_the_clock(
    world: World, debited: Person, clock: time_machine.Traveller
) -> None:
    world.simulator.settle_mandate(mandate(world), "active")
    world.lose_events()

    clock.shift(timedelta(hours=7))
    world.work()

    assert debited.status == PaymentStatus.SAVED
    assert debited.payer.due_at is None


def test_that_stripe_has_forgotten_stays_as_it_was(
    world: World, debited: Person, clock: time_machine.Traveller
) -> None:
    world.simulator.store.mandates.pop(mandate(world))

    clock.shift(timedelta(hours=7))
    world.work()

    assert debited.payer.attempts == 0
    assert debited.status == PaymentStatus.PROCESSING


def test_of_which_we_hear_before_we_know_its_method(world: World, person: Person) -> None:
    world.simulator.pay_by_bank(person.session_id, "bacs_debit")
    world.lose_events()
    world.simulator.settle_mandate(mandate(world), "active")
    world.settle()

    person.return_to_portal()

    assert person.status == PaymentStatus.SAVED


def test_of_several_for_one_account_the_best_counts(world: World, debited: Person) -> None:
    store, first = world.simulator.store, mandate(world)
    other = dict(store.mandates[first]) | {"id": "mandate_other", "status": "active"}
    store.mandates["mandate_other"] = other
    with store.transaction():
        world.simulator.work_for(first, store.mandates).emit("mandate.updated", other, {"status": "pending"})

    world.settle()

    assert len(store.mandates.snapshot()) == 2
    assert debited.methods[0].mandate_id == "mandate_other"
    assert debited.status == PaymentStatus.SAVED
