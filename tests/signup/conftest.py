"""What tests of the sign-up may ask for besides."""

import pytest

from app.simulator import Simulator
from tests.support.stripe_calls import StripeCalls


@pytest.fixture
def calls(simulator: Simulator) -> StripeCalls:
    """The calls that reach Stripe, from the moment the test asks for them."""
    return StripeCalls.of(simulator)
