"""Fixtures of these tests: an operator at the inbox."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.console import sign_in


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The browser of an operator."""
    return sign_in(app, "operator")
