"""Fixtures of these tests: an operator at the overview, at noon."""

from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app.core.db import utcnow
from tests.support.console import sign_in


@pytest.fixture
def now(clock: time_machine.Traveller) -> datetime:
    """Noon, so that some hours more or less are the same day."""
    noon = utcnow().replace(hour=12, minute=0, second=0, microsecond=0)
    clock.move_to(noon)
    return noon


@pytest.fixture
def console(app: Flask, now: datetime) -> FlaskClient:
    """The browser of an operator."""
    return sign_in(app, "operator")
