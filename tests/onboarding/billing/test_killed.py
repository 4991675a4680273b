"""When a process is killed while it removes a method, a worker finds out what became of it."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import sync
from app.core.db import utcnow
from app.payers import SETTLE_DELAY, PaymentMethod
from tests.support.billing import BillingPage
from tests.support.rows import Rows
from tests.support.stripe_calls import StripeCalls

DETACH = "POST /v1/payment_methods/*/detach"
VISA_TITLE = "Visa •••• 4242"


class Killed(BaseException):
    """The process ends here."""


def be_killed() -> None:
    raise Killed


def test_a_removal_that_took_effect_is_found(
    app: Flask, saved: FlaskClient, calls: StripeCalls, rows: Rows
) -> None:
    removal = BillingPage(saved).removal(VISA_TITLE)
    calls.after(DETACH, be_killed)
    with pytest.raises(Killed):
        removal.confirm()
    assert [row.detached_at for row in rows(PaymentMethod)] == [None, None]

    with time_machine.travel(utcnow() + SETTLE_DELAY + timedelta(seconds=5), tick=True), app.app_context():
        sync.run_until_idle()

    assert [row.last4 for row in rows(PaymentMethod) if row.detached_at is not None] == ["4242"]
