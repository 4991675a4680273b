"""The card that a customer saved last becomes the default, as the policy of the portal's profile says."""

import pytest
from flask import Flask

from app import portal
from app.payers import PaymentStatus
from tests.support.people import Person
from tests.support.portal import SignupPage, session_of
from tests.support.profiles import publish_profiles
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World


def publish(app: Flask, **profiles: str) -> None:
    """Publish profiles, each with its policy."""
    made = {slug: portal.Profile(payment_method_policy=policy) for slug, policy in profiles.items()}
    publish_profiles(app, **made)


@pytest.fixture
def newcomer(app: Flask, world: World) -> Person:
    """Somebody on Stripe's page who signed up by a profile that keeps the default."""
    publish(app, default="replace", second="keep")
    person = Person(app, world.simulator, app.test_client())
    form = SignupPage(person.client, "/signup/second")
    answer = person.client.post("/signup/second", data=form.fields())
    person.session_ids.append(session_of(answer))
    return person


def test_costs_no_call_for_what_is_the_default_already(
    world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    [card] = world.simulator.store.payment_methods
    world.choose_default(person, card)
    calls.clear()

    world.settle()

    assert f"POST /v1/customers/{person.stripe_customer_id}" not in calls.made
    assert person.payer.policy_method_id == card
    assert_agrees(person)


def test_gives_way_to_no_account_that_was_entered_before_it(world: World, person: Person) -> None:
    world.simulator.pay_by_bank(person.session_id, verify="later")
    world.settle()
    world.clock.shift(3600)
    account = person.session_id
    person.open_another_session()
    person.save_card()
    world.settle()
    card = person.stripe_default

    world.clock.shift(86400)
    world.simulator.verify_microdeposits(account)
    world.settle()

    assert len(person.methods) == 2
    assert person.stripe_default == card
    assert_agrees(person)


def test_takes_the_place_of_a_choice_that_stripe_no_longer_lists(world: World, person: Person) -> None:
    chosen = world.attach_card(person)
    world.choose_default(person, chosen)
    person.save_card()
    for event_id in list(world.simulator.store.events):
        world.simulator.store.events.pop(event_id)

    person.return_to_portal()

    assert person.stripe_default not in {None, chosen}
    assert_agrees(person)


def test_changes_nothing_for_a_customer_that_is_gone(
    world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    world.simulator.delete_customer(person.stripe_customer_id)
    calls.clear()

    world.settle()

    assert [call for call in calls.made if call.startswith("POST")] == []
    assert person.status == PaymentStatus.CUSTOMER_GONE


def test_is_that_of_the_profile_by_which_somebody_came(world: World, newcomer: Person) -> None:
    kept = world.attach_card(newcomer)
    world.choose_default(newcomer, kept)

    newcomer.save_card()
    world.settle()

    assert newcomer.stripe_default == kept
    assert_agrees(newcomer)


def test_is_that_of_the_default_profile_once_its_own_was_deleted(
    app: Flask, world: World, newcomer: Person
) -> None:
    former = world.attach_card(newcomer)
    world.choose_default(newcomer, former)
    publish(app, default="replace")

    newcomer.save_card()
    world.settle()

    assert newcomer.status == PaymentStatus.SAVED
    assert newcomer.stripe_default != former
    assert_agrees(newcomer)
