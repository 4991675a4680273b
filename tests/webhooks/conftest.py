"""Fixtures of these tests."""

import pytest
from flask import Flask

from app import apps
from app.core import db
from app.simulator import Simulator, add_account, add_key
from tests.conftest import PORTAL
from tests.support.marketplace import SECOND_ACCOUNT, SECOND_KEY
from tests.support.world_fixtures import calls, clock, frozen, person, postbox, world

__all__ = ["calls", "clock", "frozen", "person", "postbox", "world"]


NOTHING_NEW = "It tells nothing new."


@pytest.fixture
def second_app(app: Flask, simulator: Simulator) -> str:
    """The id of an app for a second account."""
    add_account(simulator.store, SECOND_ACCOUNT, 1)
    add_key(simulator.store, SECOND_KEY, account=SECOND_ACCOUNT)
    with app.app_context():
        session = db.session()
        made = apps.install(session, SECOND_KEY, public_url=PORTAL, actor="test")
        session.commit()
        return made.id
