"""What tests of links may ask for besides."""

import pytest
from flask import Flask

from tests.support.links import make_customer


@pytest.fixture
def customer_id(app: Flask) -> str:
    """A customer that is not at Stripe yet."""
    return make_customer(app)
