"""Without any event, the worker finds Stripe's truth by the clock, and stops asking when it is final."""

import pytest
import time_machine

from app.core.config import Settings
from app.payers import PaymentStatus
from app.webhooks import Event
from tests.conftest import make_settings
from tests.support.people import Person
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls
from tests.support.truth import assert_agrees
from tests.support.world import World

INTERVAL = 60


@pytest.fixture
def settings(database_url: str) -> Settings:
    """A portal that looks every minute."""
    return make_settings(database_url=database_url, pull_interval=INTERVAL)


@pytest.fixture(autouse=True)
def _no_events(world: World) -> None:
    world.simulator.fault_settings.drop_all = True


@pytest.mark.parametrize("number", ["4242424242424242", "4000000000000002", "4000002500003155"])
def test_finds_what_happened_within_one_interval(
    number: str, clock: time_machine.Traveller, world: World, person: Person, rows: Rows
) -> None:
    person.save_card(number)
    world.settle()
    assert person.status == PaymentStatus.IN_PROGRESS

    clock.shift(INTERVAL + 1)
    world.settle()

    assert person.status != PaymentStatus.IN_PROGRESS
    assert_agrees(person)
    assert rows(Event) == []


def test_asks_nothing_before_the_interval_is_over(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    calls.clear()

    clock.shift(INTERVAL - 5)
    world.settle()

    assert calls.made == []


def test_stops_asking_when_a_card_is_saved(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    person.save_card()
    clock.shift(INTERVAL + 1)
    world.settle()
    calls.clear()

    for _ in range(5):
        clock.shift(86400)
        world.settle()

    assert person.payer.due_at is None
    assert calls.made == []


def test_asks_more_and_more_rarely_until_a_page_has_expired(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    calls.clear()
    asked = []
    for minutes in [1] * 30 + [15] * 25 * 4:
        clock.shift(minutes * 60)
        before = len(calls.made)
        world.work()
        asked.append(len(calls.made) - before)

    assert person.status == PaymentStatus.ABANDONED
    assert person.payer.due_at is None
    assert sum(asked[:30]) >= 12  # an interval is two minutes
    assert 5 < sum(asked[30:]) < 20
    assert max(asked) == 1
    assert_agrees(person)


def test_finds_micro_deposits_verified_days_later(
    clock: time_machine.Traveller, world: World, person: Person, calls: StripeCalls
) -> None:
    world.simulator.pay_by_bank(person.session_id, verify="later")
    for _ in range(48):
        clock.shift(3600)
        world.work()
    assert person.status == PaymentStatus.PROCESSING
    calls.clear()

    world.simulator.verify_microdeposits(person.session_id)
    for _ in range(7):
        clock.shift(3600)
        world.work()

    assert len(calls.made) <= 3
    assert_agrees(person)


def test_sees_every_person_right_when_all_of_them_act(clock: time_machine.Traveller, world: World) -> None:
    people = [world.person() for _ in range(6)]
    people[0].save_card()
    people[1].save_card("4000000000000002")
    people[2].save_card("4000002500003155")
    world.simulator.expire_session(people[3].session_id)
    world.simulator.delete_customer(people[4].stripe_customer_id)

    clock.shift(INTERVAL + 1)
    world.settle()

    said = [person.status.value for person in people]
    assert said == ["saved", "failed", "needs_action", "abandoned", "customer_gone", "in_progress"]


def test_starts_again_with_each_page(clock: time_machine.Traveller, world: World, person: Person) -> None:
    world.simulator.expire_session(person.session_id)
    clock.shift(INTERVAL + 1)
    world.settle()
    assert person.payer.due_at is None

    person.resume()
    person.save_card()
    clock.shift(INTERVAL + 1)
    world.settle()

    assert person.status == PaymentStatus.SAVED
    assert_agrees(person)
