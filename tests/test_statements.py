"""How many statements and commits the things cost that happen most often. Lower a limit when you can."""

from flask import Flask
from flask.testing import FlaskClient

from app.onboarding.models import Signup
from app.webhooks import Event
from tests.support.portal import SignupPage
from tests.support.rows import Rows
from tests.support.statements import counted
from tests.support.stripe_postbox import Postbox, event
from tests.support.world_fixtures import postbox

__all__ = ["postbox"]


def test_of_a_sign_up(app: Flask, client: FlaskClient, rows: Rows) -> None:
    page = SignupPage(client)
    fields = page.fields(subject_keys=["engine-1", "engine-2"])

    with counted(app) as seen:
        answer = page.send(fields)

    assert answer.status_code == 303
    assert len(rows(Signup)) == 1
    assert len(seen.sent) <= 12, seen
    assert seen.commits <= 4, seen


def test_of_an_event(app: Flask, postbox: Postbox, rows: Rows) -> None:
    with counted(app) as seen:
        answer = postbox.post(event())

    assert answer.status_code == 200
    assert len(rows(Event)) == 1
    assert len(seen.sent) <= 2, seen
    assert seen.commits <= 2, seen
