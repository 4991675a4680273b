"""An event that others follow within moments waits for them, so that one look at Stripe does for all."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask

from app import webhooks
from app.core import db
from app.payers import PaymentStatus
from tests.support.people import CARDS, Person
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox, event
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


def test_an_event_that_can_wait_delays_none_before_it(
    app: Flask, world: World, person: Person, postbox: Postbox
) -> None:
    person.save_card()
    world.lose_events(lambda kind: kind == "setup_intent.succeeded")
    world.simulator.deliver_due()
    with app.app_context():
        webhooks.dispatch(db.session())
    card = {"id": "pm_1", "object": "payment_method", "type": "card", "customer": person.stripe_customer_id}

    postbox.post(event("payment_method.attached", card))
    world.work()

    assert person.status == PaymentStatus.SAVED
