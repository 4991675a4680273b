"""What tests of links may ask for besides."""

import pytest
from flask import Flask

from tests.support.links import make_customer


@pytest.fixture
def customer_id(app: Flask) -> str:
    """A customer of whom Stripe knows nothing yet."""
    return make_customer(app)
