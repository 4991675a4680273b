"""What tests of the sign-up may ask for besides."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app import portal
from tests.support.links import make_customer, make_link
from tests.support.profiles import publish_profiles
from tests.support.world_fixtures import calls, clock

__all__ = ["calls", "clock", "customer_id", "path", "publish"]

Publish = Callable[..., None]


@pytest.fixture
def customer_id(app: Flask) -> str:
    """A customer that a program or an operator made: Stripe knows nothing of it."""
    return make_customer(app)


@pytest.fixture
def path(app: Flask, customer_id: str) -> str:
    """The path of a link for that customer."""
    return make_link(app, customer_id)


@pytest.fixture
def publish(app: Flask) -> Publish:
    """Publish a default profile."""

    def changed(**profile: Any) -> None:
        publish_profiles(app, portal.Profile(**profile))

    return changed
