"""We ask Stripe about a checkout session until nothing more can become of it, and never after that."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine

from tests.support.people import Person
from tests.support.stripe_calls import StripeCalls
from tests.support.world import World


@pytest.fixture(autouse=True)
def _no_events(world: World) -> None:
    """Only the clock lets us look: an event would settle most of it."""
    world.simulator.fault_settings.drop_all = True


def is_saved(world: World, person: Person) -> None:
    person.save_card()


def expires(world: World, person: Person) -> None:
    world.simulator.expire_session(person.session_id)


def fails_after_the_form(world: World, person: Person) -> None:
    world.simulator.pay_by_bank(person.session_id, verify="later")
    world.simulator.verify_microdeposits(person.session_id, ok=False)


def has_a_setup_that_is_cancelled(world: World, person: Person) -> None:
    intent = world.simulator.store.checkout_sessions[person.session_id]["setup_intent"]
    world.simulator.store.setup_intents[intent]["status"] = "canceled"


def is_forgotten_by_stripe(world: World, person: Person) -> None:
    del world.simulator.store.checkout_sessions[person.session_id]


ENDS = [is_saved, expires, fails_after_the_form, has_a_setup_that_is_cancelled, is_forgotten_by_stripe]


@pytest.mark.parametrize("end", ENDS)
def test_ends_the_questions(
    end: Callable[[World, Person], None],
    clock: time_machine.Traveller,
    world: World,
    person: Person,
    calls: StripeCalls,
) -> None:
    end(world, person)
    clock.shift(121)
    world.work()
    assert [page.is_final for page in person.checkout_sessions] == [True]
    calls.clear()

    for _ in range(10):
        clock.shift(timedelta(hours=20))
        world.work()

    assert person.payer.due_at is None
    assert calls.made == []


@pytest.mark.parametrize("number", ["4000000000000002", "4000002500003155"], ids=["declined", "challenged"])
def test_is_asked_about_while_more_may_come(
    number: str, clock: time_machine.Traveller, world: World, person: Person
) -> None:
    person.save_card(number)
    clock.shift(121)
    world.work()

    assert [page.is_final for page in person.checkout_sessions] == [False]
    assert person.payer.due_at is not None


def test_a_forgotten_one_is_told_as_expired_and_the_next_one_works(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    is_forgotten_by_stripe(world, person)
    clock.shift(121)
    world.work()
    [forgotten] = person.checkout_sessions
    assert (forgotten.status, forgotten.setup_status) == ("expired", "canceled")

    person.resume()
    person.save_card()
    person.return_to_portal()

    assert person.status == "saved"
