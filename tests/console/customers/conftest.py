"""Fixtures of these tests: a viewer at the list of customers."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.console import sign_in


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The browser of somebody who may only look."""
    return sign_in(app, "viewer")
