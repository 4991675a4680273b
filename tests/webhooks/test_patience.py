"""An event that others follow within moments waits for them, so that one look at Stripe does for all."""

from datetime import timedelta

import pytest
import time_machine

from app.payers import PaymentStatus
from tests.support.people import CARDS, Person
from tests.support.stripe_calls import StripeCalls
from tests.support.world import World


@pytest.mark.parametrize(
    ("card", "wait", "status"),
    [
        (CARDS["declined"], timedelta(seconds=5), PaymentStatus.FAILED),
        (CARDS["challenged"], timedelta(minutes=1), PaymentStatus.NEEDS_ACTION),
    ],
)
def test_asks_nothing_until_then(
    card: str,
    wait: timedelta,
    status: PaymentStatus,
    clock: time_machine.Traveller,
    world: World,
    person: Person,
    calls: StripeCalls,
) -> None:
    person.save_card(card)
    calls.clear()

    world.settle()
    clock.shift(wait - timedelta(seconds=2))
    world.settle()
    assert calls.made == []
    clock.shift(4)
    world.settle()

    assert len(calls.made) == 1
    assert person.status == status


def test_a_saved_card_is_looked_at_without_delay(world: World, person: Person) -> None:
    person.save_card()

    world.settle()

    assert person.status == PaymentStatus.SAVED
