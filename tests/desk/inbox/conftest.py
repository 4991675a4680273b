"""Fixtures of these tests: an operator at the inbox."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.desk import sign_in


@pytest.fixture
def desk(app: Flask) -> FlaskClient:
    """The browser of an operator."""
    return sign_in(app, "operator")
