"""Fixtures around the world of `tests/support/world.py`; the conftest files that need them import them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from app.simulator import Simulator
from tests.support.people import Person
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox
from tests.support.world import World


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The world's clock: it goes on, and `shift` sends it ahead."""
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


@pytest.fixture
def frozen(clock: time_machine.Traveller) -> time_machine.Traveller:
    """The same clock, which stands still until it is shifted."""
    clock.move_to(datetime.now(UTC), tick=False)
    return clock


@pytest.fixture
def noon(clock: time_machine.Traveller) -> time_machine.Traveller:
    """The same clock, sent ahead to the next noon in UTC, so that no day ends within a test."""
    ahead = datetime.now(UTC) + timedelta(hours=12)
    clock.move_to(ahead.replace(hour=12, minute=0, second=0, microsecond=0))
    return clock


@pytest.fixture
def calls(simulator: Simulator) -> StripeCalls:
    """What was asked of Stripe."""
    return StripeCalls.of(simulator)


@pytest.fixture
def world(app: Flask, simulator: Simulator, clock: time_machine.Traveller) -> World:
    """The portal, the simulated Stripe and the people."""
    return World(app, simulator, clock)


@pytest.fixture
def person(world: World) -> Person:
    """Somebody who has signed up and is on Stripe's page."""
    return world.person()


@pytest.fixture
def postbox(app: Flask, simulator: Simulator) -> Postbox:
    """Where Stripe, or somebody who pretends, posts events."""
    return Postbox(app, simulator)
