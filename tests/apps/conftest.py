"""Fixtures of these tests: a portal in which nothing is installed yet."""

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from app.apps.cli import install_command
from app.simulator import DEFAULT_API_KEY, Simulator, add_account, add_key
from tests.support.installed_apps import Install
from tests.support.marketplace import OTHER_KEY, SECOND_ACCOUNT, SECOND_KEY
from tests.support.rows import Rows
from tests.support.tokens import program
from tests.support.world_fixtures import calls, clock

__all__ = ["calls", "clock", "install"]


@pytest.fixture
def install(bare_app: Flask) -> Install:
    """Run `gangway stripe install`."""

    def run(api_key: str = DEFAULT_API_KEY, *options: str) -> Result:
        return bare_app.test_cli_runner().invoke(install_command, ["--api-key", api_key, *options])

    return run


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A program that may do everything, where the simulated account is installed."""
    return program(app)


@pytest.fixture
def bare_api(bare_app: Flask) -> FlaskClient:
    """A program that may do everything, where nothing is installed."""
    return program(bare_app)


@pytest.fixture
def installed(app: Flask, rows: Rows) -> App:
    """The app that is there from the start."""
    [row] = rows(App)
    assert isinstance(row, App)
    return row


@pytest.fixture
def second_key(simulator: Simulator) -> str:
    """The key of a second account."""
    add_account(simulator.store, SECOND_ACCOUNT, 1)
    add_key(simulator.store, SECOND_KEY, account=SECOND_ACCOUNT)
    return SECOND_KEY


@pytest.fixture
def other_key(simulator: Simulator) -> str:
    """Another key of the account that is installed."""
    add_key(simulator.store, OTHER_KEY)
    return OTHER_KEY
