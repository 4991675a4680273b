"""Whatever people do, however their events are shuffled, doubled and lost: it ends in Stripe's truth."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.simulator import Simulator
from tests.support.deliveries import into
from tests.support.portal import resume, session_of
from tests.support.sync_people import Person, World
from tests.support.sync_truth import true_status

PULL = 120  # seconds, the usual interval
NUMBERS = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "declined": "4000000000000002",
    "challenged": "4000002500003155",
    "challenged, then declined": "4000008400001629",
}

Send = Callable[[str, bytes, dict[str, str]], int]


def attached(person: Person) -> list[str]:
    """The methods of a person's Stripe customer."""
    books = person.simulator.books
    return [m["id"] for m in books.payment_methods.snapshot() if m["customer"] == person.stripe_id]


def takes_a_method_away(_world: World, person: Person) -> None:
    """Somebody detaches the newest method in the Dashboard."""
    for method in attached(person)[-1:]:
        person.simulator.detach_payment_method(method)


def renews_a_card(_world: World, person: Person) -> None:
    """The network sends a new expiry, two weeks ahead."""
    soon = datetime.now(UTC) + timedelta(days=14)
    for method in attached(person)[-1:]:
        if "card" in person.simulator.books.payment_methods[method]:
            person.simulator.renew_card(method, month=soon.month, year=soon.year)


def adds_a_card(world: World, person: Person) -> None:
    """Somebody attaches a card in the Dashboard."""
    if not is_deleted(person):
        world.attach_card(person)


def chooses_another_default(world: World, person: Person) -> None:
    """Somebody makes the oldest method the default in the Dashboard."""
    for method in attached(person)[:1]:
        world.choose_default(person, method)


def takes_the_default_away(world: World, person: Person) -> None:
    """Somebody sees to it in the Dashboard that nothing is charged."""
    if not is_deleted(person):
        world.choose_default(person, "")


def goes_on(_world: World, person: Person) -> None:
    """The person presses "continue" in the portal, and lands on Stripe's page or on its own state."""
    if person.client.get("/cancelled").status_code == 303:  # there is nothing to go on with
        return
    answer = resume(person.client)
    if "/c/pay/" in answer.location:
        person.page_id = session_of(answer)


def is_deleted(person: Person) -> bool:
    """Is the Stripe customer gone?"""
    return bool(person.simulator.books.customers[person.stripe_id].get("deleted"))


def types(number: str) -> Callable[[World, Person], object]:
    """The person types a card in."""
    return lambda _world, person: person.saves(number)


STEPS: dict[str, Callable[[World, Person], object]] = {
    **{f"types {name}": types(number) for name, number in NUMBERS.items()},
    "comes through 3-D Secure": lambda _world, p: p.simulator.authenticate(p.page_id),
    "fails 3-D Secure": lambda _world, p: p.simulator.authenticate(p.page_id, ok=False),
    "gives a bank account": lambda _world, p: p.simulator.pay_by_bank(p.page_id),
    "gives a bank account to be verified": lambda _world, p: p.simulator.pay_by_bank(
        p.page_id, verify="later"
    ),
    "verifies micro-deposits": lambda _world, p: p.simulator.verify_microdeposits(p.page_id),
    "fails micro-deposits": lambda _world, p: p.simulator.verify_microdeposits(p.page_id, ok=False),
    "lets the page expire": lambda _world, p: p.simulator.expire_session(p.page_id),
    "is deleted": lambda _world, p: p.simulator.delete_customer(p.stripe_id),
    "loses a method": takes_a_method_away,
    "gets a new expiry": renews_a_card,
    "gets a second card": adds_a_card,
    "gets another default": chooses_another_default,
    "loses the default": takes_the_default_away,
    "returns": lambda _world, p: p.returns(),
    "goes on": goes_on,
    "gets an event": lambda world, _p: world.simulator.deliver_due(),
    "is looked at by the worker": lambda world, _p: world.work(),
}


@dataclass(frozen=True)
class Story:
    """What two people do, and how the events about it travel."""

    steps: list[tuple[int, str]]  # who, and what
    pause: int  # seconds after each step
    copies: int  # of every delivery
    fates: list[str]  # of the deliveries, in turn
    is_lost: bool  # an event that was lost is lost for good; else Stripe sees to it that it arrives


stories = st.builds(
    Story,
    steps=st.lists(st.tuples(st.integers(0, 1), st.sampled_from(sorted(STEPS))), min_size=1, max_size=14),
    pause=st.integers(0, 90),
    copies=st.integers(1, 3),
    fates=st.lists(
        st.sampled_from(["arrives", "arrives", "is lost", "its answer is lost"]), min_size=1, max_size=12
    ),
    is_lost=st.booleans(),
)
names = (f"person-{number}" for number in itertools.count())


@given(story=stories)
def test_ends_in_stripes_truth(story: Story, app: Flask, simulator: Simulator) -> None:
    world = World(app, simulator)
    with time_machine.travel(datetime.now(UTC), tick=False) as clock:
        earlier = set(simulator.books.events)
        people = [Person.signs_up(app, simulator, next(names)) for _ in range(2)]

        simulator.knobs.change({"shuffle": True, "duplicate": story.copies})
        simulator.send = unreliable(into(app), story.fates)
        for who, step in story.steps:
            STEPS[step](world, people[who])
            clock.shift(story.pause)

        simulator.send = into(app)
        if story.is_lost:
            world.lose_events()
        else:
            for told in set(simulator.books.events) - earlier:
                simulator.replay_event(told)
        world.settle()
        clock.shift(max(PULL, story.pause * len(story.steps)) + 61)
        world.settle()
        if story.is_lost:  # nobody looks unasked at what is settled, until the person comes back
            for person in people:
                person.returns()

        for person in people:
            assert person.status == true_status(person, datetime.now(UTC))
            assert person.payer.default_method_id == person.stripe_default


def unreliable(deliver: Send, fates: list[str]) -> Send:
    """Deliver, unless fate will have it otherwise."""
    fate = itertools.cycle(fates)

    def send(url: str, body: bytes, headers: dict[str, str]) -> int:
        what = next(fate)
        status = 0 if what == "is lost" else deliver(url, body, headers)
        return status if what == "arrives" else 0

    return send
