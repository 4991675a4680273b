"""What tests of the billing page may ask for besides."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.simulator import Simulator
from app.web import limits, mail
from tests.support.billing import MASTERCARD, VISA, with_cards


@pytest.fixture
def mailbox(app: Flask) -> Iterator[mail.Mailbox]:
    """An installation that sends email: what it sends."""
    box = app.extensions[mail.EXTENSION] = mail.Mailbox()
    with app.app_context():
        limits.current().reset()
    yield box
    del app.extensions[mail.EXTENSION]


@pytest.fixture
def saved(client: FlaskClient, simulator: Simulator) -> FlaskClient:
    """A browser in which somebody has saved two cards; the second, a Mastercard, is the default."""
    return with_cards(client, simulator, VISA, MASTERCARD)


@pytest.fixture
def other(app: Flask) -> FlaskClient:
    """Another browser."""
    return app.test_client()
