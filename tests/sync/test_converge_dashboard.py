"""Convergence follows what somebody changed in Stripe's Dashboard: methods, defaults and deleted
customers."""

import time_machine

from app.payers import PaymentStatus
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.sync_converge import kinds
from tests.support.truth import assert_agrees
from tests.support.world import World


def test_removes_a_detached_card_while_another_page_is_open(person: Person, world: World) -> None:
    person.save_card()
    world.settle()
    person.open_another_session()

    world.simulator.detach_payment_method(str(person.stripe_default))
    world.settle()

    assert person.methods == []
    assert person.payer.default_method_id is None


def test_knows_of_a_card_attached_in_the_dashboard_while_a_page_is_open(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    attached = world.attach_card(person)

    world.settle()
    clock.shift(6)
    world.settle()

    assert [method.id for method in person.methods] == [attached]
    assert person.status == PaymentStatus.IN_PROGRESS


def test_follows_the_renewal_of_a_card_that_is_not_the_default_while_a_page_is_open(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.settle()
    second = world.attach_card(person)
    world.settle()
    clock.shift(6)
    world.settle()
    person.open_another_session()

    world.simulator.renew_card(second, month=5, year=2042)
    world.settle()

    assert {method.id: method.exp_year for method in person.methods}[second] == 2042


def test_knows_of_a_customer_deleted_at_stripe(person: Person, world: World, rows: Rows) -> None:
    person.save_card()
    world.settle()

    world.simulator.delete_customer(person.stripe_customer_id)
    world.settle()

    assert person.status == PaymentStatus.CUSTOMER_GONE
    assert person.methods == []
    assert person.payer.default_method_id is None
    assert kinds(rows)[-1] == "stripe_customer.deleted"
    assert kinds(rows).count("stripe_customer.deleted") == 1


def test_knows_of_a_customer_deleted_while_the_page_is_open(person: Person, world: World) -> None:
    world.simulator.delete_customer(person.stripe_customer_id)

    person.return_to_portal()

    assert person.status == PaymentStatus.CUSTOMER_GONE
    assert person.payer.due_at is None


def test_notes_the_deletion_of_a_customer_once(
    person: Person, world: World, rows: Rows, clock: time_machine.Traveller
) -> None:
    world.simulator.delete_customer(person.stripe_customer_id)
    for _ in range(3):
        person.return_to_portal()
        clock.shift(90)

    assert kinds(rows).count("stripe_customer.deleted") == 1


def test_takes_a_customer_for_gone_that_stripe_does_not_know_any_more(person: Person, world: World) -> None:
    person.save_card()
    world.settle()
    world.simulator.renew_card(str(person.stripe_default))
    world.simulator.store.customers.pop(person.stripe_customer_id)

    world.settle()

    assert person.status == PaymentStatus.CUSTOMER_GONE
    assert person.methods == []


def test_follows_a_card_that_the_network_renewed(person: Person, world: World) -> None:
    person.save_card()
    world.settle()

    world.simulator.renew_card(str(person.stripe_default), month=3, year=2041)
    world.settle()

    [card] = person.methods
    assert (card.exp_month, card.exp_year) == (3, 2041)


def test_keeps_a_default_that_was_chosen_in_the_dashboard(
    person: Person, world: World, clock: time_machine.Traveller
) -> None:
    person.save_card()
    world.settle()
    chosen = world.attach_card(person)

    world.choose_default(person, chosen)
    world.settle()
    clock.shift(3600)
    person.return_to_portal()
    world.settle()

    assert person.stripe_default == chosen
    assert len(person.methods) == 2
    assert_agrees(person)


def test_follows_a_default_that_was_taken_away_in_the_dashboard(person: Person, world: World) -> None:
    person.save_card()
    world.settle()

    world.choose_default(person, "")
    world.settle()

    assert person.payer.default_method is None
    assert len(person.methods) == 1
    assert_agrees(person)
