"""Two admins change the portal at the same moment: neither loses what the other has stored."""

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app import portal
from app.core import db
from tests.console.portal.test_portal import publish, save
from tests.support.console import post, sign_in
from tests.support.rivals import commits_meanwhile


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The console of the second one."""
    return sign_in(app, "admin")


def changed(session: Session) -> portal.PortalSettings:
    """Return the settings with another policy, as the first one stores them."""
    portal.start_change(session)
    edited = portal.edited(session)
    profile = edited.default.model_copy(update={"payment_method_policy": "ask"})
    return edited.model_copy(update={"profiles": {**edited.profiles, "default": profile}})


def save_draft(session: Session) -> None:
    portal.save_draft(session, changed(session), actor="test")


def publish_now(session: Session) -> None:
    portal.publish(session, changed(session), actor="test")


def held(app: Flask) -> tuple[str, str]:
    """What the two have chosen, as the draft has it."""
    with app.app_context():
        profile = portal.edited(db.session()).default
    return profile.payment_method_policy, profile.brand.corner_radius


@pytest.mark.parametrize("before", [{}, {"font": "rounded"}], ids=["a new draft", "a draft"])
def test_a_draft_takes_both_changes(app: Flask, console: FlaskClient, before: dict[str, str]) -> None:
    if before:
        save(console, "brand", **before)

    answer = commits_meanwhile(app, save_draft, lambda: save(console, "brand", corner_radius="large"))

    assert answer.status_code == 303
    assert held(app) == ("ask", "large")


def test_a_new_draft_does_not_undo_what_is_published_meanwhile(app: Flask, console: FlaskClient) -> None:
    answer = commits_meanwhile(app, publish_now, lambda: save(console, "brand", corner_radius="large"))

    assert answer.status_code == 303
    assert held(app) == ("ask", "large")


def test_a_draft_that_is_discarded_meanwhile_does_not_come_back(app: Flask, console: FlaskClient) -> None:
    with app.app_context():
        save_draft(db.session())
        db.session().commit()

    def discard(session: Session) -> None:
        portal.start_change(session)
        portal.discard_draft(session, actor="test")

    commits_meanwhile(app, discard, lambda: save(console, "brand", corner_radius="large"))

    assert held(app) == ("replace", "large")


def test_what_is_published_stays_with_one_that_is_restored(app: Flask, console: FlaskClient) -> None:
    save(console, "brand", corner_radius="large")
    publish(console)

    answer = commits_meanwhile(app, publish_now, lambda: post(console, "/operator/portal/versions/1/restore"))

    assert answer.status_code == 303
    assert held(app) == ("replace", "large")
