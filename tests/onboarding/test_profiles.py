"""A customer who comes by a profile stays with it: brand, languages, Stripe app, and the way back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from app import apps, create_app, portal
from app.apps import App
from app.core import db
from app.core.db import utcnow
from app.core.errors import NotFound
from app.customers import Customer
from app.onboarding import links
from app.onboarding.links import OnboardingLink
from app.onboarding.models import Signup
from app.simulator import DEFAULT_API_KEY, Simulator
from tests.conftest import PORTAL, make_settings
from tests.support.browser import Page
from tests.support.console import operator, post, sign_in
from tests.support.links import LinkPage, make_customer, make_link
from tests.support.portal import SignupPage, session_of
from tests.support.profiles import publish_profiles
from tests.support.rows import Rows

OTHER = "Second Brand"
FIRST = "Northwind Metering"  # as the variable says


def publish(app: Flask, **second: object) -> None:
    """Publish two profiles."""
    profile = portal.Profile.model_validate(
        {"name": "Second", "brand": {"company_name": OTHER}, "links": {"support_email": "two@example.com"}}
        | second
    )
    publish_profiles(app, second=profile)


@pytest.fixture(autouse=True)
def _second(app: Flask) -> None:
    publish(app)


def brand(page: Page) -> str:
    return page.one("span", class_="brand-name").text


def submit(client: FlaskClient, path: str = "/signup/second", **details: object) -> str:
    """Sign up by a profile, and return the session (cs_…) of Stripe's page."""
    page = SignupPage(client, path)
    form = page.page.one("form", id="details")
    answer = client.post(form["action"], data=page.fields(**details))
    return session_of(answer)


def test_shows_its_brand_and_keeps_to_its_address(client: FlaskClient) -> None:
    page = Page.of(client.get("/signup/second"))

    assert brand(page) == OTHER
    assert page.one("form", id="details")["action"] == "/signup/second"
    assert "two@example.com" in page.one("footer").text
    assert brand(Page.of(client.get("/signup"))) == FIRST


@pytest.fixture
def with_files(database_url: str, tmp_path: Path) -> Iterator[FlaskClient]:
    """A browser at a portal with files for its default profile."""
    (tmp_path / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (tmp_path / "custom-default.css").write_text("h1 { color: red }")
    files = {"logo_file": str(tmp_path / "logo.svg"), "data_dir": str(tmp_path)}
    made = create_app(make_settings(database_url=database_url, **files))
    yield made.test_client()
    with made.app_context():
        db.engine().dispose()


def test_has_no_file_of_the_default_one(with_files: FlaskClient) -> None:
    shown = [Page.of(with_files.get(path)) for path in ("/signup", "/signup/second")]
    served = [
        with_files.get(f"/brand/{slug}/{name}").status_code
        for slug in ("default", "second")
        for name in ("logo", "custom.css")
    ]

    assert [len(page.all("img", class_="brand-logo")) for page in shown] == [1, 0]
    assert ["custom.css" in page.html for page in shown] == [True, False]
    assert served == [200, 200, 404, 404]


def test_that_nobody_knows_is_not_found(client: FlaskClient) -> None:
    for path in ("/signup/third", "/signup/SECOND", "/signup/%00", "/signup/second/x"):
        assert client.get(path).status_code == 404
    assert client.post("/signup/third").status_code == 404


def test_is_kept_with_the_sign_up_and_shown_on_the_way_back(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.save_card(submit(client))

    page = Page.of(client.get("/return"))

    assert [signup.profile for signup in rows(Signup)] == ["second"]
    assert brand(page) == OTHER


def test_is_shown_to_who_went_back_on_stripes_page(client: FlaskClient) -> None:
    submit(client)

    assert brand(Page.of(client.get("/cancelled"))) == OTHER


def test_offers_its_languages(app: Flask, client: FlaskClient) -> None:
    publish(app, languages=["de", "ja"])

    page = Page.of(client.get("/signup/second", headers={"Accept-Language": "fr"}))

    assert page.one("html")["lang"] == "de"


def test_of_a_browser_are_apart(client: FlaskClient, rows: Rows) -> None:
    submit(client, "/signup", key="", subject_keys=[])
    submit(client, "/signup/second", key="", subject_keys=[])

    assert sorted(signup.profile or "" for signup in rows(Signup)) == ["", "second"]
    assert len(rows(Customer)) == 2


def test_opens_the_stripe_page_in_its_app(app: Flask, client: FlaskClient, simulator: Simulator) -> None:
    second = other_app(app)
    publish(app, app_id=second)

    opened = submit(client)

    [session] = [one for one in simulator.store.checkout_sessions.values() if one["id"] == opened]
    assert f"app={second}" in session["success_url"]


def test_that_was_deleted_gives_way_to_the_default_one(app: Flask, client: FlaskClient) -> None:
    submit(client)
    with app.app_context():
        session = db.session()
        portal.publish(session, portal.PortalSettings(), actor="command")
        session.commit()

    assert brand(Page.of(client.get("/cancelled"))) == FIRST


def test_of_a_link_is_shown_and_kept(
    app: Flask, client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    second = other_app(app)
    publish(app, app_id=second)
    path = make_link(app, make_customer(app), profile="second")

    page = LinkPage(client, path)
    opened = session_of(page.press())

    assert brand(page.page) == OTHER
    assert [signup.profile for signup in rows(Signup)] == ["second"]
    assert f"app={second}" in simulator.store.checkout_sessions[opened]["success_url"]
    assert brand(Page.of(client.get("/cancelled"))) == OTHER


def test_opens_another_stripe_page_than_an_earlier_one(
    app: Flask, client: FlaskClient, simulator: Simulator
) -> None:
    customer_id = make_customer(app)
    first = session_of(LinkPage(client, make_link(app, customer_id)).press())

    by_second = LinkPage(app.test_client(), make_link(app, customer_id, profile="second"))
    second, again = session_of(by_second.press()), session_of(by_second.press())

    sessions = simulator.store.checkout_sessions
    assert (second, sessions[first]["status"]) == (again, "expired")


def test_that_nobody_knows_has_no_links(app: Flask) -> None:
    with pytest.raises(NotFound):
        make_link(app, make_customer(app), profile="third")


def test_of_a_link_goes_over_to_the_renewed_one(app: Flask, session: Session) -> None:
    make_link(app, make_customer(app), profile="second")
    link = session.scalars(select(OnboardingLink)).one()

    renewed, _ = links.renew(session, link.id, actor="command")

    assert renewed.profile == "second"


def test_is_chosen_for_a_link_in_the_console(app: Flask, rows: Rows) -> None:
    customer_id = make_customer(app)
    console = sign_in(app, who=operator(app, "operator"))

    page = Page.of(console.get(f"/operator/customers/{customer_id}"))
    post(console, f"/operator/customers/{customer_id}/links", profile="second")
    post(console, f"/operator/customers/{customer_id}/links")
    post(console, f"/operator/customers/{customer_id}/links", profile="third")

    assert [option["value"] for option in page.one("select", id="profile").all("option")] == [
        "default",
        "second",
    ]
    assert [link.profile for link in rows(OnboardingLink)] == ["second", None, None]


def test_by_which_somebody_signed_up_is_that_of_the_next_link(
    app: Flask, client: FlaskClient, rows: Rows
) -> None:
    submit(client)
    customer_id = rows(Customer)[0].id

    post(sign_in(app, who=operator(app, "operator")), f"/operator/customers/{customer_id}/links")

    assert [link.profile for link in rows(OnboardingLink)] == ["second"]


def other_app(app: Flask) -> str:
    """Install another account's app, and return its id. The first one stays the default."""
    with app.app_context():
        session = db.session()
        own = session.scalars(select(App)).one()
        own.deleted_at, own.is_default = utcnow(), False
        session.commit()
        made = apps.install(session, DEFAULT_API_KEY, public_url=PORTAL, actor="test")
        session.commit()
        own.deleted_at, made.is_default = None, False
        own.stripe_account_id = "acct_other"
        session.commit()
        own.is_default = True
        session.commit()
        return made.id
