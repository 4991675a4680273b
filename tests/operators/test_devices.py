"""A browser that was logged in before is counted apart from strangers: for 90 days, and for one password."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from time_machine import Traveller

from app.core import db
from tests.support.console import post, sign_in
from tests.support.operators import PASSWORD, log_in, member

NEW = "seven green telescopes"


def exhaust(app: Flask) -> None:
    """Have strangers at this address use up the limit of tries."""
    stranger = app.test_client()
    while log_in(stranger, password="wrong").status_code != 429:
        pass


def known_browser(app: Flask) -> FlaskClient:
    """A browser that was logged in, and has nothing left of that but what it is known by."""
    browser = app.test_client()
    assert log_in(browser).status_code == 303
    with browser.session_transaction() as cookie:
        cookie.clear()
    return browser


def test_is_accepted_while_strangers_are_sent_away(app: Flask) -> None:
    member(app)
    browser = known_browser(app)
    exhaust(app)

    assert log_in(browser).status_code == 303


@pytest.mark.parametrize(("days", "status"), [(89, 303), (91, 429)])
def test_is_known_for_90_days(app: Flask, clock: Traveller, days: int, status: int) -> None:
    member(app)
    browser = known_browser(app)
    clock.shift(timedelta(days=days))
    exhaust(app)

    assert log_in(browser).status_code == status


def test_is_a_stranger_once_the_password_was_changed(app: Flask) -> None:
    who = member(app)
    browser, mine = known_browser(app), sign_in(app, who=who)
    post(mine, "/operator/account/password", current=PASSWORD, new=NEW)
    with mine.session_transaction() as cookie:
        cookie.clear()
    exhaust(app)

    assert log_in(browser, password=NEW).status_code == 429
    assert log_in(mine, password=NEW).status_code == 303  # where it was changed


def test_a_weak_password_is_refused_while_another_writes(app: Flask) -> None:
    mine = sign_in(app, who=member(app))
    with app.app_context(), db.engine().connect().execution_options(writes=True) as other:
        other.execute(sa.text("UPDATE operator SET name = name"))

        answer = post(mine, "/operator/account/password", current=PASSWORD, new="password1234")

        other.rollback()
    assert answer.status_code == 422
