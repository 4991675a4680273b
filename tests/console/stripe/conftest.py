"""Fixtures of these tests: an administrator at the pages of the Stripe apps."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import apps
from app.apps.models import App
from app.core import db
from app.simulator import Simulator, add_account, add_key
from tests.support.console import sign_in
from tests.support.console_stripe import STRIPE
from tests.support.installed_apps import installed


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The browser of an admin."""
    return sign_in(app, "admin")


@pytest.fixture
def path(app: Flask) -> str:
    """Where the page of the installed app is."""
    [found] = installed(app)
    return f"{STRIPE}/{found.id}"


@pytest.fixture
def second(app: Flask, simulator: Simulator) -> App:
    """Another installed app, not the default."""
    add_account(simulator.store, "acct_second", 1)
    add_key(simulator.store, "sk_test_second", account="acct_second")
    with app.app_context():
        session = db.session()
        made = apps.install(
            session, "sk_test_second", public_url="http://127.0.0.1:8000", name="Second", actor="test"
        )
        session.commit()
        return made
