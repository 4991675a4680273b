"""Fixtures of these tests: everybody, on a day when no card is about to expire."""

import pytest
import time_machine
from flask import Flask

from app.simulator import Simulator
from tests.support.console_customer import CLOCK
from tests.support.world import World


@pytest.fixture
def world(app: Flask, simulator: Simulator, clock: time_machine.Traveller) -> World:
    """Everybody, on a day when cards valid to 12/34 are not near their end."""
    clock.move_to(CLOCK)
    simulator.advance(CLOCK.timestamp() - simulator.clock.now())
    return World(app, simulator, clock)
