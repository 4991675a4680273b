"""The published settings are in force in every process within two seconds, and variables win."""

import json
from base64 import b64encode
from contextlib import ExitStack
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from app import audit, create_app, portal
from app.core import db
from app.core.config import Settings
from app.core.errors import Conflict, NotFound
from app.portal import cache
from app.web import logging
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.pictures import png

TWO = portal.PortalSettings(
    profiles={
        "default": portal.Profile(brand=portal.Brand(company_name="First", accent_color="#00ff00")),
        "second": portal.Profile(brand=portal.Brand(company_name="Second")),
    }
)


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings in which no variable decides for the portal, but the address for help."""
    made = make_settings(database_url=database_url)
    return Settings.of(
        {name: getattr(made, name) for name in made.model_fields_set - {"company_name", "database_url"}}
        | {"database_url": database_url}
    )


def publish(session: Session, settings: portal.PortalSettings = TWO) -> None:
    portal.publish(session, settings, actor="command")
    session.commit()


def test_begin_as_the_variables_say(session: Session) -> None:
    profile = portal.profile()

    assert profile.links.support_email == "help@example.com"
    assert profile.form.fields["subject_keys"] == "optional"
    assert profile == portal.current_profile()


def test_are_on_the_pages_at_once_in_the_process_that_published_them(app: Flask, session: Session) -> None:
    publish(session)

    page = Page.of(app.test_client().get("/nowhere"))

    assert page.one("span", class_="brand-name").text == "First"
    assert "--accent:" in app.test_client().get("/brand.css").get_data(as_text=True)


def test_are_in_the_blank_form_at_once(app: Flask, session: Session) -> None:
    app.test_client().get("/signup")  # it is drawn once
    publish(session)

    page = Page.of(app.test_client().get("/signup"))

    assert page.one("span", class_="brand-name").text == "First"


def test_are_in_force_in_other_processes_after_two_seconds(
    app: Flask, session: Session, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = create_app(settings)
    now = 1000.0
    monkeypatch.setattr(cache, "monotonic", lambda: now)
    with other.app_context():
        assert portal.profile().brand.company_name == "Acme Cloud"
    publish(session)

    with other.app_context():
        soon = portal.profile().brand.company_name
        now += cache.MAX_AGE + 0.1
        later = portal.profile().brand.company_name
        db.engine().dispose()

    assert (soon, later) == ("Acme Cloud", "First")


def test_cost_one_small_query_in_two_seconds(session: Session) -> None:
    publish(session)
    portal.profile()
    statements: list[str] = []
    sa.event.listen(
        db.engine(), "before_cursor_execute", lambda *args: statements.append(args[2]), named=False
    )

    for _ in range(50):
        portal.profile()
    cache.held().expire()
    portal.profile()

    assert len([text for text in statements if text.startswith("SELECT")]) == 1


def test_lose_to_a_variable_that_is_set_in_the_default_profile_alone(session: Session) -> None:
    publish(session)

    assert portal.profile().links.support_email == "help@example.com"
    assert portal.profile("second").links.support_email is None


def test_of_an_unknown_profile_are_not_found(session: Session) -> None:
    with pytest.raises(NotFound):
        portal.profile("nobody")


def test_of_a_request_are_those_of_its_profile(app: Flask, session: Session) -> None:
    publish(session)

    with app.test_request_context("/"):
        used = portal.use_profile("second").brand.company_name
        slug = portal.current_slug()
        gone = portal.use_profile("was-deleted").brand.company_name

        assert (used, slug) == ("Second", "second")
        assert (gone, portal.current_slug()) == ("First", None)


def test_are_kept_in_their_latest_fifty_versions(session: Session) -> None:
    session.add(portal.PortalVersion(id=7, document=TWO.model_dump(mode="json"), actor="command"))
    session.add(portal.PortalVersion(id=57, document=TWO.model_dump(mode="json"), actor="command"))
    session.commit()

    publish(session)

    kept = session.scalars(sa.select(portal.PortalVersion.id).order_by(portal.PortalVersion.id)).all()
    assert kept == [57, 58]


def test_refuse_a_change_of_an_older_version(session: Session) -> None:
    publish(session)

    with pytest.raises(Conflict):
        portal.publish(session, TWO, actor="command", based_on=0)


def test_of_a_newer_release_that_can_not_be_read_leave_what_was_known(app: Flask, session: Session) -> None:
    publish(session)
    portal.profile()
    session.add(portal.PortalVersion(id=2, document={"profiles": 3}, actor="command"))
    session.commit()
    cache.held().expire()

    assert portal.profile().brand.company_name == "First"


def test_are_the_newest_that_a_new_process_can_read(
    app: Flask, settings: Settings, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(session, portal.PortalSettings(profiles={"default": portal.Profile(sign_up="links")}))
    for number in (2, 3):
        session.add(portal.PortalVersion(id=number, document={"profiles": number}, actor="command"))
    session.commit()
    logging.configure(settings)

    page = Page.of(create_app(settings).test_client().get("/signup"))

    assert not page.all("form", id="details")
    assert "portal_settings_not_understood" in capsys.readouterr().err


def test_are_the_defaults_when_no_version_can_be_read(app: Flask, session: Session) -> None:
    session.add(portal.PortalVersion(id=1, document={"profiles": 3}, actor="command"))
    session.commit()
    cache.held().expire()

    assert portal.published().profiles.keys() == {"default"}


def test_stay_in_force_when_a_rule_came_after_them(app: Flask, session: Session) -> None:
    kept = {
        "links": {"imprint_url": "https://-/imprint"},
        "after": {"return_url": "https://a..b/done", "allowed_return_hosts": ["-"]},
        "name": "\u200b",
        "embed_origins": ["https://-", "https://app.example.com"],
        "brand": {"logo": {"media_type": "image/png", "data": b64encode(png(9000, 9000)).decode()}},
    }
    session.add(portal.PortalVersion(id=1, document={"profiles": {"default": kept}}, actor="command"))
    session.commit()
    cache.held().expire()

    profile = portal.profile()

    assert profile.links.imprint_url == "https://-/imprint"
    assert profile.after.allowed_return_hosts == ("-",)  # without any, each host would be allowed
    assert profile.embed_origins == ("https://app.example.com",)
    assert portal.edited(session).profiles.keys() == {"default"}


def test_stay_in_force_while_the_database_is_away(app: Flask, session: Session) -> None:
    publish(session)
    portal.profile()
    session.execute(sa.text("ALTER TABLE portal_version RENAME TO away"))
    session.commit()
    cache.held().expire()

    name = portal.profile().brand.company_name
    session.execute(sa.text("ALTER TABLE away RENAME TO portal_version"))
    session.commit()

    assert name == "First"


def test_are_recorded_with_what_was_and_what_is(session: Session) -> None:
    publish(session)
    changed = TWO.model_copy(update={"profiles": {"default": portal.Profile(name="Only")}})
    publish(session, changed)

    entry = session.scalars(sa.select(audit.Entry).order_by(audit.Entry.id)).all()[-1]
    before: dict[str, Any] = json.loads(entry.facts["before"])
    after: dict[str, Any] = json.loads(entry.facts["after"])

    assert (entry.kind, entry.actor, entry.facts["version"]) == ("portal.published", "command", "2")
    assert before["profiles.default.brand.company_name"] == "First"
    assert after["profiles.default.name"] == "Only"
    assert "profiles.second.name" in before
    assert "profiles.second.name" not in after


def test_have_texts_in_the_visitors_language_else_in_the_first() -> None:
    profile = portal.Profile(
        languages=("de", "fr"), texts={"signup_lead": {"de": "Hallo", "ja": "こんにちは"}}
    )

    assert profile.text("signup_lead", "ja") == "こんにちは"
    assert profile.text("signup_lead", "fr") == "Hallo"
    assert profile.text("signup_title", "de") is None


def test_are_read_in_a_transaction_when_all_other_connections_are_in_use(
    app: Flask, session: Session
) -> None:
    """Those who hold the others may wait for the very commit of this transaction."""
    publish(session)
    cache.held().expire()
    pool = db.engine().pool
    assert isinstance(pool, sa.QueuePool)
    session.execute(sa.select(1))
    with ExitStack() as stack:
        for _ in range(pool.size() + pool._max_overflow - 1):
            stack.enter_context(db.engine().connect())

        company = portal.profile().brand.company_name

    assert company == "First"
