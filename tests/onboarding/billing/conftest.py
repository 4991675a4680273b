"""What tests of the billing page may ask for besides."""

from collections import deque
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import outbox
from app.core import db
from app.simulator import Simulator
from app.web import limits, mail
from tests.support.billing import MASTERCARD, VISA, with_cards


class Postbox(mail.Mailbox):
    """A mailbox that has whatever is in the outbox sent before it is looked into."""

    def __init__(self, app: Flask) -> None:
        self._app, self._kept = app, deque[mail.Message]()

    @property
    def messages(self) -> deque[mail.Message]:  # type: ignore[override]
        """What was sent."""
        with self._app.app_context():
            outbox.deliver(db.session())
        return self._kept

    def send(self, message: mail.Message) -> None:
        """Keep a message."""
        self._kept.append(message)


@pytest.fixture
def mailbox(app: Flask) -> Iterator[mail.Mailbox]:
    """An installation that sends email: what it sends."""
    box = app.extensions[mail.EXTENSION] = Postbox(app)
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
