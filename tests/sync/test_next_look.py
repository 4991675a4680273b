"""When we look at a payer unasked: soon after the newest checkout session, more rarely as that one ages."""

from datetime import timedelta

import time_machine

from app.core.db import utcnow
from tests.support.people import Person
from tests.support.world import World

INTERVAL = timedelta(seconds=120)


def wait_of(person: Person) -> timedelta:
    """How long it is until the next look."""
    due_at = person.payer.due_at
    assert due_at is not None
    return due_at - utcnow()


def look(clock: time_machine.Traveller, world: World) -> None:
    """Let the time of the next look come, and look."""
    clock.shift(INTERVAL + timedelta(seconds=1))
    world.work()


def test_a_young_checkout_session_is_looked_at_each_interval(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    look(clock, world)

    assert timedelta(0) < wait_of(person) <= INTERVAL


def test_an_old_one_is_looked_at_more_rarely(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    clock.shift(timedelta(hours=8))
    world.work()

    assert timedelta(hours=3) < wait_of(person) < timedelta(hours=5)


def test_the_young_one_decides_when_there_is_an_old_one_too(
    clock: time_machine.Traveller, world: World, person: Person
) -> None:
    clock.shift(timedelta(hours=8))
    world.settle()
    person.open_another_session()

    look(clock, world)

    assert [page.status for page in person.checkout_sessions] == ["open", "open"]
    assert timedelta(0) < wait_of(person) <= INTERVAL


def test_its_end_is_looked_at_soon_after(clock: time_machine.Traveller, world: World, person: Person) -> None:
    [page] = person.checkout_sessions
    clock.shift(page.expires_at - utcnow() - timedelta(minutes=30))
    world.work()

    assert page.expires_at < utcnow() + wait_of(person) < page.expires_at + timedelta(minutes=1)
