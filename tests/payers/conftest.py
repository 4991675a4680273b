"""Fixtures of these tests."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.apps import App
from tests.support.payers import create
from tests.support.rows import Rows
from tests.support.tokens import program
from tests.support.world_fixtures import calls, clock, world

__all__ = ["calls", "clock", "world"]


@pytest.fixture
def api(app: Flask) -> FlaskClient:
    """A program that may do everything."""
    return program(app)


@pytest.fixture
def ada(api: FlaskClient) -> str:
    """The id of a customer with the key ada that is not at Stripe."""
    return create(api, "ada")


@pytest.fixture
def installed(app: Flask, rows: Rows) -> App:
    """The app that is there from the start."""
    [row] = rows(App)
    assert isinstance(row, App)
    return row
