"""Fixtures of these tests: a gateway to the simulator, or to a Stripe with scripted answers."""

import pytest

from app.gateway import StripeGateway
from app.gateway.transport.wsgi import WSGITransport
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.support.stripe_scripted import Connect
from tests.support.world_fixtures import calls

__all__ = ["calls", "connect", "gateway"]


@pytest.fixture
def connect(simulator: Simulator) -> Connect:
    """Open a gateway with a key, in this process."""

    def open_gateway(api_key: str = DEFAULT_API_KEY) -> StripeGateway:
        return StripeGateway(
            api_key, api_base="http://127.0.0.1:12111", http_client=WSGITransport(simulator.wsgi)
        )

    return open_gateway


@pytest.fixture
def gateway(connect: Connect) -> StripeGateway:
    """A gateway to the simulated account."""
    return connect()
