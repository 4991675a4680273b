"""Fixtures of the tests about events and convergence; their conftest files name them."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask

from app.simulator import Simulator
from tests.support.stripe_calls import StripeCalls
from tests.support.stripe_postbox import Postbox
from tests.support.sync_people import Person, World


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """The world's clock: it goes on by itself and can be sent ahead with `shift`."""
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


@pytest.fixture
def calls(simulator: Simulator) -> StripeCalls:
    """What was asked of Stripe."""
    return StripeCalls.of(simulator)


@pytest.fixture
def world(app: Flask, simulator: Simulator) -> World:
    """The portal and Stripe, and what passes between them."""
    return World(app, simulator)


@pytest.fixture
def person(world: World) -> Person:
    """Somebody who has signed up and stands on Stripe's page."""
    return world.person()


@pytest.fixture
def postbox(app: Flask, simulator: Simulator) -> Postbox:
    """Where Stripe, or somebody who pretends, posts events."""
    return Postbox(app, simulator)
