"""A default that somebody chose after a card was saved stays, whenever we hear of that card."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.simulator import Simulator
from tests.support.console import operator, post, sign_in
from tests.support.people import Person
from tests.support.stripe_calls import StripeCalls, elsewhere
from tests.support.tokens import program
from tests.support.truth import assert_agrees
from tests.support.world import World

Choose = Callable[[Person, str], None]


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A program that may do everything."""
    return program(app)


@pytest.fixture
def choose(api: FlaskClient) -> Choose:
    """Choose a default through the API."""

    def put(person: Person, method_id: str) -> None:
        body = {
            "stripeCustomerId": person.stripe_customer_id,
            "stripeDefaultPaymentMethodId": method_id,
        }
        answer = api.put(f"/api/v1/customers/{person.payer.customer_id}/stripe", json=body)
        assert answer.status_code == 200

    return put


def default_digits(person: Person) -> str:
    """The last four digits of the default card at Stripe."""
    [card] = [row for row in person.payer.methods if row.id == person.stripe_default]
    return str(card.last4)


@pytest.mark.parametrize("default_before", ["none", "the same"])
def test_by_a_program_is_kept(default_before: str, world: World, person: Person, choose: Choose) -> None:
    other = world.attach_card(person)
    if default_before == "the same":
        world.choose_default(person, other)
    person.save_card()

    choose(person, other)
    world.settle()

    assert person.stripe_default == other
    assert_agrees(person)


@pytest.mark.parametrize("attached", ["before", "after"])
def test_in_the_dashboard_stands(attached: str, world: World, person: Person) -> None:
    other = world.attach_card(person) if attached == "before" else ""
    person.save_card()
    world.choose_default(person, other or world.attach_card(person))
    chosen = person.stripe_default

    world.settle()

    assert person.stripe_default == chosen
    assert_agrees(person)


def test_by_an_operator_is_kept(app: Flask, world: World, person: Person) -> None:
    person.save_card()
    world.settle()
    first = str(person.stripe_default)
    person.open_another_session()
    person.save_card("5555555555554444")
    grace = sign_in(app, who=operator(app, "operator", name="Grace Hopper"))

    path = f"/operator/customers/{person.payer.customer_id}/charge"
    post(grace, path, app_id=person.payer.app_id, method_id=first)
    world.settle()

    assert person.stripe_default == first
    assert_agrees(person)


def test_is_followed_by_the_next_card_that_is_saved(world: World, person: Person, choose: Choose) -> None:
    other = world.attach_card(person)
    choose(person, other)

    person.save_card()
    world.settle()

    assert person.stripe_default != other
    assert_agrees(person)


def test_in_the_dashboard_is_followed_by_the_next_card_that_is_saved(world: World, person: Person) -> None:
    world.choose_default(person, world.attach_card(person))
    chosen = person.stripe_default

    person.save_card()
    world.settle()

    assert person.stripe_default != chosen
    assert_agrees(person)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_during_a_convergence_is_kept(
    moment: str, world: World, person: Person, choose: Choose, calls: StripeCalls
) -> None:
    person.save_card()
    other = world.attach_card(person)
    at = calls.before if moment == "before" else calls.after

    at(f"POST /v1/customers/{person.stripe_customer_id}", elsewhere(lambda: choose(person, other)))
    world.settle()

    assert person.stripe_default == other
    assert_agrees(person)


@pytest.mark.parametrize("by", ["the dashboard", "a lost answer"])
def test_of_the_default_of_before_stands(
    by: str, app: Flask, world: World, person: Person, simulator: Simulator
) -> None:
    person.save_card()
    world.settle()
    first = str(person.stripe_default)
    other = world.attach_card(person)
    person.open_another_session()
    person.save_card("5555555555554444")

    if by == "the dashboard":
        world.choose_default(person, other)
        world.choose_default(person, first)
    else:
        simulator.faults.add("reset_after", "POST /v1/customers/*", 4)
        grace = sign_in(app, who=operator(app, "operator", name="Grace Hopper"))
        path = f"/operator/customers/{person.payer.customer_id}/charge"
        post(grace, path, app_id=person.payer.app_id, method_id=first)
        simulator.faults.clear()
    world.settle()

    assert person.stripe_default == first


def test_by_our_own_policy_is_no_choice(world: World, person: Person, simulator: Simulator) -> None:
    person.open_another_session()
    world.simulator.save_card(person.session_ids[1], "5555555555554444")
    world.settle()
    first = person.stripe_default
    world.clock.shift(timedelta(minutes=5))

    world.simulator.save_card(person.session_ids[0])
    world.settle()

    assert person.stripe_default != first
    assert_agrees(person)


def test_by_our_own_policy_is_no_choice_after_a_card_that_was_saved_meanwhile(
    world: World, person: Person, calls: StripeCalls
) -> None:
    person.open_another_session()
    person.save_card()
    later = elsewhere(lambda: world.simulator.save_card(person.session_ids[0], "5555555555554444"))
    calls.before(f"POST /v1/customers/{person.stripe_customer_id}", later)

    world.settle()

    assert default_digits(person) == "4444"
    assert_agrees(person)


def test_of_another_customer_says_nothing_about_this_one(world: World, person: Person) -> None:
    other = world.person()
    person.save_card()
    world.settle()
    person.open_another_session()
    person.save_card("5555555555554444")
    world.choose_default(other, world.attach_card(other))

    world.settle()

    assert default_digits(person) == "4444"
    assert_agrees(person)


def test_is_kept_though_another_customer_saves_a_card_after_it(world: World, person: Person) -> None:
    person.save_card()
    world.choose_default(person, world.attach_card(person))
    chosen = person.stripe_default
    world.person().save_card()

    world.settle()

    assert person.stripe_default == chosen
    assert_agrees(person)


def test_is_kept_though_a_hundred_other_changes_follow(world: World, person: Person) -> None:
    person.save_card()
    world.choose_default(person, world.attach_card(person))
    chosen, other = person.stripe_default, world.person()
    for number in range(100):
        world.stripe("POST", f"/v1/customers/{other.stripe_customer_id}", name=f"Other {number}")
    world.lose_events(keep=lambda kind: kind == "setup_intent.succeeded")

    world.settle()

    assert person.stripe_default == chosen
    assert_agrees(person)


def test_costs_a_look_at_the_events_only_if_another_card_is_the_default(
    world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    world.settle()
    assert "GET /v1/events" not in calls.made
    person.open_another_session()

    person.save_card("5555555555554444")
    world.settle()

    assert calls.made.count("GET /v1/events") == 1
    assert len(person.methods) == 2
    assert_agrees(person)


def test_is_known_without_the_list_of_events(
    world: World, person: Person, choose: Choose, calls: StripeCalls
) -> None:
    other = world.attach_card(person)
    person.save_card()
    choose(person, other)
    calls.refusals["GET /v1/events"] = {
        "http": "403 Forbidden",
        "type": "invalid_request_error",
        "message": "The key lacks a permission.",
    }

    world.settle()

    assert person.stripe_default == other
