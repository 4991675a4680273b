"""The doctor and the overview say when email waits: nobody else would notice until a customer calls."""

from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from app import doctor as examinations
from app import outbox
from app.core import db
from app.core.db import utcnow
from app.web import mail
from app.web.mail import Message
from tests.doctor.conftest import Doctor
from tests.support.console import sign_in
from tests.support.console_overview import concerns
from tests.support.installed_apps import Installed

LETTER = Message("ada@example.com", "Subject", "Text")


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The console of an operator."""
    return sign_in(app, "viewer")


def put(app: Flask, *, number: int = 1) -> None:
    """Put messages in the outbox."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        for _ in range(number):
            outbox.put(session, LETTER, kind="test", expires_at=utcnow() + timedelta(days=1))
        session.commit()


@pytest.mark.parametrize(
    ("minutes", "state"), [(0, "green"), (4, "green"), (6, "amber"), (9, "amber"), (11, "red"), (90, "red")]
)
def test_waits_longer_and_longer(
    minutes: int, state: str, app: Flask, own: Installed, doctor: Doctor, clock: time_machine.Traveller
) -> None:
    put(app)
    clock.shift(timedelta(minutes=minutes))

    found = doctor()["email"]

    assert found["state"] == state
    assert (found["title"] == "No email waits") == (state == "green")
    assert ("The oldest has waited since" in found["detail"]) == (state != "green")


def test_names_the_cause(
    app: Flask, own: Installed, doctor: Doctor, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(app)
    clock.shift(timedelta(minutes=20))

    without = doctor()["email"]["detail"]
    monkeypatch.setitem(app.extensions, mail.EXTENSION, mail.Mailbox())

    assert "Email is no longer set up" in without
    assert "message_not_sent" in doctor()["email"]["detail"]


def test_brings_the_next_examination_forward(
    app: Flask, own: Installed, clock: time_machine.Traveller
) -> None:
    with app.app_context():
        session = db.session()
        assert examinations.examine_due(session) == 1
        put(app)
        clock.shift(timedelta(minutes=6))

        assert examinations.examine_due(session) == 1


def test_is_on_the_overview(
    app: Flask, own: Installed, console: FlaskClient, clock: time_machine.Traveller
) -> None:
    put(app, number=3)
    clock.shift(timedelta(minutes=9))
    assert "3 Emails are delayed" not in concerns(console)

    clock.shift(timedelta(minutes=2))

    assert concerns(console)["3 Emails are delayed"].all("a", href="/operator/stripe")
