"""Admins edit the portal in the console: in a draft, with a preview, published in one step."""

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import portal
from app.audit import Entry
from app.core import db
from app.core.config import Settings
from app.customers import Customer
from app.onboarding.models import Signup
from app.portal.cli import group
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import csrf, operator, post, sign_in
from tests.support.database_contents import contents
from tests.support.pictures import png
from tests.support.rows import Rows

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"/>'
PROFILE = "/operator/portal/profiles/default"


@pytest.fixture
def settings(database_url: str) -> Settings:
    """Settings in which one variable decides for the portal: the address for help."""
    made = make_settings(database_url=database_url)
    kept = made.model_fields_set - {"company_name", "database_url"}
    return Settings.of({name: getattr(made, name) for name in kept} | {"database_url": database_url})


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    return sign_in(app, "admin")


def save(console: FlaskClient, section: str, slug: str = "default", **changes: Any) -> TestResponse:
    """Open the page of a section, change fields, and send it."""
    path = f"/operator/portal/profiles/{slug}/{section}"
    page = Page.of(console.get(path))
    return send(console, page, path, **changes)


def send(console: FlaskClient, page: Page, path: str, **changes: Any) -> TestResponse:
    [form] = [form for form in page.all("form") if form.get("enctype")]
    fields: dict[str, Any] = {"csrf_token": csrf(console)}
    for entry in form.all("input"):
        if entry.get("type") == "checkbox":
            if "checked" in entry.attributes:
                fields.setdefault(entry["name"], []).append(entry["value"])
        elif entry.get("type") != "file" and "disabled" not in entry.attributes:
            fields[entry["name"]] = entry.get("value") or ""
    for entry in form.all("select"):
        chosen = [option for option in entry.all("option") if "selected" in option.attributes]
        fields[entry["name"]] = (chosen or entry.all("option"))[0]["value"]
    for entry in form.all("textarea"):
        fields[entry["name"]] = "".join(map(str, entry.children)).removeprefix("\r\n")
    fields |= changes
    return console.post(path, data={k: v for k, v in fields.items() if v is not None})


def publish(console: FlaskClient) -> TestResponse:
    """Publish the draft as the page shows it."""
    page = Page.of(console.get("/operator/portal"))
    return post(console, "/operator/portal/publish", revision=page.one("input", name="revision")["value"])


def name_of(page: Page) -> str:
    return page.one("span", class_="brand-name").text


def test_shows_a_change_to_visitors_once_it_is_published(console: FlaskClient, client: FlaskClient) -> None:
    saved = save(console, "brand", company_name="Lovelace & Co")
    before = name_of(Page.of(client.get("/signup")))
    publish(console)
    after = name_of(Page.of(client.get("/signup")))

    assert saved.status_code == 303
    assert (before, after) == ("Acme Cloud", "Lovelace & Co")
    assert "Version 1" in Page.of(console.get("/operator/portal")).text


@for_each("section", ["general", "brand", "form", "texts", "languages", "links", "policies", "after"])
def test_every_section_is_kept_as_it_is_when_nothing_changes(
    app: Flask, console: FlaskClient, section: str
) -> None:
    answer = save(console, section)

    assert answer.status_code == 303, Page.of(answer).text
    with app.app_context():
        session = db.session()
        assert portal.edited(session) == portal.stored(session)
    post(console, "/operator/portal/discard")


def test_previews_the_real_page_as_the_draft_has_it_and_stores_nothing(
    app: Flask, console: FlaskClient
) -> None:
    save(console, "brand", company_name="Lovelace & Co", accent_color="#ffff00")
    before = contents(app)

    answer = console.get(f"{PROFILE}/preview/signup?language=de")
    page = Page.of(answer)
    style = [link["href"] for link in page.all("link") if "preview" in link["href"]]
    drawn = console.get(next(url for url in style if "style.css" in url))
    css = drawn.get_data(as_text=True)

    assert name_of(page) == "Lovelace & Co"
    assert page.one("html")["lang"] == "de"
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert "--accent:#ffff00" in css
    assert "private" in drawn.headers["Cache-Control"]
    assert contents(app) == before
    assert console.get(f"{PROFILE}/preview/nothing").status_code == 404
    assert console.get("/operator/portal/profiles/nobody/preview/signup").status_code == 404


@for_each("role", ["viewer", "operator"])
def test_is_for_admins_alone(app: Flask, role: str) -> None:
    other = sign_in(app, who=operator(app, role))

    for path in (
        "/operator/portal",
        f"{PROFILE}/brand",
        f"{PROFILE}/preview/signup",
        "/operator/portal/export",
    ):
        assert other.get(path).status_code == 403
    assert post(other, "/operator/portal/publish", revision=1).status_code == 403


def test_says_which_variable_wins_and_leaves_its_field_alone(console: FlaskClient, app: Flask) -> None:
    page = Page.of(console.get(f"{PROFILE}/links"))
    field = page.one("input", name="support_email")

    save(console, "links", support_email="mallory@example.com", terms_url="https://example.com/terms")

    assert "disabled" in field.attributes
    assert field["value"] == "help@example.com"
    assert "GANGWAY_SUPPORT_EMAIL is set and wins" in page.text
    assert "GANGWAY_SUPPORT_EMAIL" in Page.of(console.get("/operator/portal")).text
    with app.app_context():
        links = portal.edited(db.session()).default.links
    assert links.support_email == "help@example.com"
    assert links.terms_url == "https://example.com/terms"


def test_keeps_what_is_stored_behind_a_variable(console: FlaskClient, app: Flask) -> None:
    store(app, {"links": {"support_email": "stored@example.com"}})

    save(console, "links", terms_url="https://example.com/terms")

    with app.app_context():
        links = portal.edited(db.session()).default.links
    assert (links.support_email, links.terms_url) == ("stored@example.com", "https://example.com/terms")


def test_puts_links_to_terms_privacy_and_imprint_in_the_footer(
    console: FlaskClient, client: FlaskClient
) -> None:
    urls = {f"{name}_url": f"https://example.com/{name}" for name in ("terms", "privacy", "imprint")}
    save(console, "links", **urls)
    publish(console)

    page = Page.of(client.get("/signup"))

    assert set(urls.values()) <= {link["href"] for link in page.one("footer").all("a")}


@for_each(
    "wrong",
    [
        {"company_name": ""},
        {"company_name": "x" * 81},
        {"accent_color": "red"},
        {"font": "comic"},
        {"corner_radius": "huge"},
        {"logo": (io.BytesIO(b"GIF89a"), "logo.gif")},
        {"logo": (io.BytesIO(b"<html><script>alert(1)</script>"), "logo.svg")},
        {"logo_dark": (io.BytesIO(PNG + bytes(20_000)), "logo.png")},
        {"logo": (io.BytesIO(png(60_000, 60_000)), "logo.png")},
    ],
)
def test_refuses_a_brand_that_makes_no_sense(app: Flask, console: FlaskClient, wrong: dict[str, Any]) -> None:
    answer = save(console, "brand", **wrong)

    assert answer.status_code == 422
    assert Page.of(answer).all("p", class_="field-error") or Page.of(answer).all("ul", class_="alert-list")
    with app.app_context():
        assert portal.open_draft(db.session())[1] is None


def test_says_beside_the_field_how_large_a_picture_may_be(console: FlaskClient) -> None:
    page = Page.of(save(console, "brand", logo_dark=(io.BytesIO(png(60_000, 60_000)), "logo.png")))

    assert "at most 4,096 pixels wide and high" in page.one("p", id="logo_dark-error").text


def test_says_beside_the_field_which_link_is_wrong(console: FlaskClient) -> None:
    page = Page.of(save(console, "links", terms_url="javascript:alert(1)"))

    assert "Enter a URL that begins with https://." in page.one("p", id="terms_url-error").text


def test_stores_logos_and_serves_them_without_scripts(console: FlaskClient, client: FlaskClient) -> None:
    save(
        console,
        "brand",
        logo=(io.BytesIO(PNG), "logo.png"),
        logo_dark=(io.BytesIO(SVG), "dark.svg"),
        is_wordmark="y",
    )
    save(console, "brand", font="serif", corner_radius="none")  # keeps the logos
    publish(console)

    page = Page.of(client.get("/signup"))
    image, dark = page.one("picture").one("img"), page.one("source")
    answers = [client.get(url) for url in (image["src"], dark["srcset"])]

    assert [answer.get_data() for answer in answers] == [PNG, SVG]
    assert [answer.mimetype for answer in answers] == ["image/png", "image/svg+xml"]
    assert all("sandbox" in answer.headers["Content-Security-Policy"] for answer in answers)
    assert all("max-age=31536000" in answer.headers["Cache-Control"] for answer in answers)
    assert image["alt"] == "Acme Cloud"
    assert page.all("span", class_="brand-name") == []

    save(console, "brand", removes_logo="y", removes_logo_dark="y")
    publish(console)
    assert Page.of(client.get("/signup")).all("picture") == []


def test_keeps_the_texts_of_each_language(console: FlaskClient, app: Flask) -> None:
    path = f"{PROFILE}/texts?language=de"
    page = Page.of(console.get(path))
    send(console, page, path, signup_lead="Herzlich willkommen", charges="")
    save(console, "texts", signup_lead="Welcome")

    with app.app_context():
        profile = portal.edited(db.session()).default

    assert profile.text("signup_lead", "de") == "Herzlich willkommen"
    assert profile.text("signup_lead", "fr") == "Welcome"
    assert profile.text("charges", "de") is None


def test_offers_the_chosen_languages_with_the_default_one_first(console: FlaskClient, app: Flask) -> None:
    save(console, "languages", default="ja", others=["en", "de"])

    with app.app_context():
        assert portal.edited(db.session()).default.languages == ("ja", "en", "de")


def test_keeps_two_editors_apart(console: FlaskClient) -> None:
    page = Page.of(console.get(f"{PROFILE}/links"))
    save(console, "links", terms_url="https://example.com/first")
    save(console, "brand", company_name="Other section")  # is in nobody's way

    answer = send(console, page, f"{PROFILE}/links", terms_url="https://example.com/second")
    again = send(console, Page.of(answer), f"{PROFILE}/links", terms_url="https://example.com/second")

    assert answer.status_code == 409
    assert "Somebody else changed this section" in Page.of(answer).text
    assert again.status_code == 303


def test_publishes_only_what_the_editor_has_seen(console: FlaskClient, app: Flask) -> None:
    save(console, "brand", company_name="First")
    page = Page.of(console.get("/operator/portal"))
    save(console, "brand", company_name="Second")

    post(console, "/operator/portal/publish", revision=page.one("input", name="revision")["value"])

    assert "Somebody changed the draft meanwhile" in Page.of(console.get("/operator/portal")).text
    with app.app_context():
        assert portal.versions(db.session(), 5) == []


def test_warns_of_a_draft_that_would_undo_a_newer_version(console: FlaskClient, app: Flask) -> None:
    save(console, "brand", company_name="Draft")
    with app.app_context():
        session = db.session()
        portal.publish(session, portal.stored(session), actor="command")
        session.commit()

    page = Page.of(console.get("/operator/portal"))
    post(console, "/operator/portal/publish", revision=1)
    refused = Page.of(console.get("/operator/portal"))
    post(console, "/operator/portal/keep")
    publish(console)

    assert "Other settings were published after this draft was started" in page.text
    assert page.all("input", name="revision") == []
    assert "keep the draft or discard it" in refused.text
    with app.app_context():
        assert portal.profile().brand.company_name == "Draft"


def test_goes_back_to_an_earlier_version(console: FlaskClient, client: FlaskClient) -> None:
    for name in ("First", "Second"):
        save(console, "brand", company_name=name)
        publish(console)

    post(console, "/operator/portal/versions/1/restore")

    assert name_of(Page.of(client.get("/signup"))) == "First"
    assert "as version 3" in Page.of(console.get("/operator/portal")).text
    for number in (0, 9, 10**30):
        assert post(console, f"/operator/portal/versions/{number}/restore").status_code == 404


def test_adds_a_profile_as_a_copy_and_deletes_it(console: FlaskClient, client: FlaskClient) -> None:
    added = post(console, "/operator/portal/profiles", name="Second", slug="second")
    save(console, "brand", "second", company_name="Second Brand")
    publish(console)
    shown = name_of(Page.of(client.get("/signup/second")))
    post(console, "/operator/portal/profiles/second/default")
    publish(console)
    default = name_of(Page.of(client.get("/signup")))
    post(console, "/operator/portal/profiles/second/delete")
    kept = Page.of(console.get("/operator/portal")).text
    post(console, "/operator/portal/profiles/default/delete")
    publish(console)

    assert added.location == "/operator/portal/profiles/second/brand"
    assert (shown, default) == ("Second Brand", "Second Brand")
    assert "Make another one the default first" in kept
    assert "/signup/default" not in Page.of(console.get("/operator/portal")).text


def store(app: Flask, profile: dict[str, Any]) -> None:
    """Have settings in force that no page of this release would store."""
    document = {"profiles": {"default": profile}}
    with app.app_context():
        db.session().add(portal.PortalVersion(id=1, document=document, actor="command"))
        db.session().commit()


def test_saves_a_section_beside_others_that_newer_rules_refuse(console: FlaskClient, app: Flask) -> None:
    store(app, {"links": {"terms_url": "https://a..b/x"}, "after": {"return_url": "https://127.1/"}})

    saved = save(console, "brand", company_name="Second")
    repaired = save(console, "links", terms_url="https://acme.example/terms")
    refused = save(console, "links", terms_url="https://c..d/x")

    assert [answer.status_code for answer in (saved, repaired, refused)] == [303, 303, 422]


def test_says_so_when_another_release_stored_the_settings(
    console: FlaskClient, tmp_path: Path, app: Flask
) -> None:
    store(app, {"sign_up": "by a newer way"})
    (tmp_path / "portal.json").write_text('{"profiles": {"default": {"name": "Ours"}}}')

    shown = console.get("/operator/portal")
    imported = app.test_cli_runner().invoke(group, ["import", str(tmp_path / "portal.json")])

    assert shown.status_code == 409
    assert "this one can't read them" in Page.of(shown).text
    assert imported.exit_code == 0, imported.output
    assert console.get("/operator/portal").status_code == 200


def test_refuses_one_profile_too_many(console: FlaskClient, session: Session) -> None:
    profiles = {"default": portal.Profile()} | {f"p-{number}": portal.Profile() for number in range(49)}
    portal.publish(session, portal.PortalSettings(profiles=profiles), actor="command")
    session.commit()

    answer = post(console, "/operator/portal/profiles", name="Second", slug="second")

    assert answer.status_code == 422
    assert "There are 50 profiles, which is the maximum. Delete one first." in Page.of(answer).text


@for_each("slug", ["", "Second", "a/b", "-a", "x" * 41, "default", "ä"])
def test_refuses_an_address_that_can_not_be(console: FlaskClient, slug: str) -> None:
    answer = post(console, "/operator/portal/profiles", name="Second", slug=slug)

    assert answer.status_code == 422


def test_records_each_change_with_before_and_after(console: FlaskClient, rows: Rows) -> None:
    save(console, "brand", company_name="Lovelace & Co", logo=(io.BytesIO(PNG), "logo.png"))
    publish(console)
    save(console, "brand", company_name="Other")
    post(console, "/operator/portal/discard")

    entries = [entry for entry in rows(Entry) if entry.kind.startswith("portal.")]

    assert [entry.kind for entry in entries] == [
        "portal.draft_saved",
        "portal.published",
        "portal.draft_saved",
        "portal.draft_discarded",
    ]
    before, after = (json.loads(entries[1].facts[name]) for name in ("before", "after"))
    assert before["profiles.default.brand.company_name"] == "Acme Cloud"
    assert after["profiles.default.brand.company_name"] == "Lovelace & Co"
    assert after["profiles.default.brand.logo.data"].startswith("sha256:")
    assert all(entry.actor.startswith("operator:") for entry in entries)
    assert "Portal settings: version 1 published" in Page.of(console.get("/operator/audit")).text


def test_exports_what_can_be_imported(console: FlaskClient) -> None:
    save(console, "brand", company_name="Lovelace & Co")
    publish(console)

    answer = console.get("/operator/portal/export")

    assert portal.load(answer.get_data(as_text=True)).default.brand.company_name == "Lovelace & Co"
    assert "attachment" in answer.headers["Content-Disposition"]


def test_says_so_when_there_is_no_draft(console: FlaskClient) -> None:
    post(console, "/operator/portal/publish", revision=1)
    told = Page.of(console.get("/operator/portal")).text

    assert "There is no draft to publish" in told
    assert post(console, "/operator/portal/keep").status_code == 404
    assert post(console, "/operator/portal/discard").status_code == 303


def test_knows_no_profile_of_another_name(console: FlaskClient) -> None:
    assert console.get("/operator/portal/profiles/nobody/brand").status_code == 404
    for action in ("brand", "delete", "default"):
        assert post(console, f"/operator/portal/profiles/nobody/{action}").status_code == 404


def test_previews_what_comes_after_saving(console: FlaskClient, rows: Rows, session: Session) -> None:
    save(console, "texts", charges="We charge on the first of each month.")

    answer = console.get(f"{PROFILE}/preview/saved?language=en&stay=1")

    assert "4242" in Page.of(answer).text
    assert "Ada Lovelace Ltd" in Page.of(answer).text
    assert "form-action 'none'" in answer.headers["Content-Security-Policy"]
    assert (rows(Customer), rows(Signup), list(session.new)) == ([], [], [])
