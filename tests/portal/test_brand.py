"""The company's name, logo and colour are on every page, and stay readable whatever the colour."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from app import create_app, portal
from app.core import db
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><script>alert(1)</script></svg>'


_made: list[Flask] = []


@pytest.fixture(autouse=True)
def _close() -> Iterator[None]:
    yield
    for app in _made:
        with app.app_context():
            db.engine().dispose()
    _made.clear()


def make_app(**settings: Any) -> Flask:
    """Return an application with these settings; it is closed when its test ends."""
    _made.append(create_app(make_settings(**settings)))
    return _made[-1]


def luminance(colour: str) -> float:
    """How bright a colour is, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def papers(app: Flask, names: str) -> dict[str, list[str]]:
    """The grounds of portal.css with such names, light and dark."""
    with app.test_client().get("/static/portal.css") as answer:
        light, dark, *_ = answer.get_data(as_text=True).split(
            "@media screen and (prefers-color-scheme: dark)"
        )
    found = {
        name: re.findall(rf"--(?:{names}): (#[0-9a-f]+);", text)
        for name, text in (("light", light), ("dark", dark))
    }
    return {name: [full(colour) for colour in colours] for name, colours in found.items()}


def full(colour: str) -> str:
    """#rgb as #rrggbb."""
    return colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])


def shades(app: Flask) -> dict[str, dict[str, str]]:
    """The colours of brand.css, on light and on dark."""
    css = app.test_client().get("/brand.css").get_data(as_text=True)
    light, dark = css.split("@media screen and (prefers-color-scheme:dark)")
    return {
        name: dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", text))
        for name, text in (("light", light), ("dark", dark))
    }


@for_each(
    "accent",
    [
        "#ffff00",
        "#000000",
        "#ffffff",
        "#3b5bdb",
        "#808080",
        "#ff0000",
        "#00ff00",
        "#0000ff",
        "#14171F",
        "#0b2a5b",
    ],
)
@for_each("scheme", ["light", "dark"])
def test_any_accent_can_be_read(accent: str, scheme: str) -> None:
    app = make_app(accent_color=accent)

    shade, grounds = shades(app)[scheme], papers(app, "ground|surface")[scheme]
    tints = papers(app, "[a-z]+-ground")[scheme]

    assert (len(grounds), len(tints)) == (2, 4)
    assert shade["accent"] == accent.lower()
    assert min(contrast(shade["accent-text"], ground) for ground in grounds) >= 4.5
    assert min(contrast(shade["accent-line"], ground) for ground in grounds) >= 3
    assert min(contrast(shade["focus"], ground) for ground in [*grounds, *tints]) >= 3
    assert contrast(shade["on-accent"], shade["accent"]) >= 4.5
    assert contrast(shade["on-accent"], shade["accent-strong"]) >= 4.5


def test_readable_accent_is_the_color_of_links_too() -> None:
    app = make_app(accent_color="#3b5bdb")

    assert shades(app)["light"]["accent-text"] == "#3b5bdb"


def test_text_on_yellow_is_dark() -> None:
    app = make_app(accent_color="#ffdd00")

    assert {shade["on-accent"] for shade in shades(app).values()} == {"#000000"}


def test_style_comes_as_css() -> None:
    answer = make_app().test_client().get("/brand.css")

    assert answer.mimetype == "text/css"


def test_logo_stands_on_every_page_and_can_run_no_script(tmp_path: Path, migrated: str) -> None:
    file = tmp_path / "logo.svg"
    file.write_text(SVG)
    client = make_app(logo_file=str(file), database_url=migrated).test_client()

    page = Page.of(client.get("/nowhere"))
    with client.get(page.one("img", class_="brand-logo")["src"]) as answer:
        assert answer.mimetype == "image/svg+xml"
        assert answer.get_data(as_text=True) == SVG
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "max-age=31536000" in answer.headers["Cache-Control"]


def test_logo_file_is_found_from_the_folder_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    client = make_app(logo_file="logo.png").test_client()

    with client.get("/brand/logo") as answer:
        assert answer.mimetype == "image/png"


def test_without_a_logo_the_first_letter_stands_for_it() -> None:
    page = Page.of(make_app(company_name="ünder").test_client().get("/nowhere"))

    assert page.one("span", class_="brand-mark").text == "Ü"


def test_name_is_text_and_never_markup() -> None:
    page = Page.of(make_app(company_name='<b onclick="x">&</b>').test_client().get("/nowhere"))

    assert page.one("span", class_="brand-name").text == '<b onclick="x">&</b>'


def links_below(page: Page) -> list[str]:
    """The company's links in the footer, without the languages."""
    found = [link["href"] for link in page.one("footer").all("a")]
    return [url for url in found if not url.startswith("?")]


def test_support_address_and_terms_stand_below_every_page() -> None:
    settings = make_settings(terms_url="https://example.com/terms", support_email="help@example.com")

    page = Page.of(create_app(settings).test_client().get("/nowhere"))

    assert links_below(page) == [
        "mailto:help@example.com",
        "https://example.com/terms",
    ]


def test_says_so_when_payments_are_simulated() -> None:
    page = Page.of(make_app().test_client().get("/nowhere"))

    assert "payments are simulated" in page.text


def test_pages_do_without_what_is_not_set() -> None:
    page = Page.of(make_app(support_email="", terms_url="").test_client().get("/nowhere"))

    assert links_below(page) == []


@pytest.mark.parametrize(
    ("brand", "expected"),
    [
        ({"font": "serif"}, "--font:Charter"),
        ({"corner_radius": "none"}, "--round:0;"),
        ({"corner_radius": "large"}, "--round:1rem;"),
    ],
)
def test_font_and_corners_are_those_that_were_chosen(
    app: Flask, session: Session, brand: dict[str, str], expected: str
) -> None:
    publish(session, brand=brand)

    assert expected in app.test_client().get("/brand.css").get_data(as_text=True)


def publish(session: Session, **profile: object) -> None:
    """Publish one profile."""
    made = portal.Profile.model_validate(profile)
    portal.publish(session, portal.PortalSettings(profiles={"default": made}), actor="command")
    session.commit()


def icons(app: Flask) -> tuple[TestResponse, TestResponse]:
    """The favicon and the touch icon of the pages."""
    page = Page.of(app.test_client().get("/nowhere"))
    [icon] = page.all("link", rel="icon")
    [touch] = page.all("link", rel="apple-touch-icon")
    return app.test_client().get(icon["href"]), app.test_client().get(touch["href"])


def test_icons_are_the_logo(app: Flask, session: Session) -> None:
    publish(session, brand={"logo": {"media_type": "image/png", "data": PNG}})

    icon, touch = icons(app)

    assert icon.get_data() == touch.get_data() == base64.b64decode(PNG)


def test_icons_are_drawn_where_there_is_no_logo_or_only_a_wordmark(app: Flask, session: Session) -> None:
    publish(session, brand={"logo": {"media_type": "image/png", "data": PNG}, "is_wordmark": True})

    icon, touch = icons(app)

    assert ">N</text>" in icon.get_data(as_text=True)
    assert touch.get_data()[:8] == base64.b64decode(PNG)[:8]
    assert touch.get_data() != base64.b64decode(PNG)


def test_letter_of_the_icon_is_text_and_never_markup() -> None:
    app = make_app(company_name="<script>")

    assert ">&lt;</text>" in icons(app)[0].get_data(as_text=True)


def test_files_of_nothing_are_not_found(app: Flask) -> None:
    for path in ("/brand/default/other", "/brand/nobody/logo", "/brand/default/logo-dark", "/brand/logo"):
        assert app.test_client().get(path).status_code == 404


def test_file_without_its_version_is_kept_for_an_hour_only(app: Flask) -> None:
    answer = app.test_client().get("/brand/default/style.css?v=older")

    assert "max-age=3600" in answer.headers["Cache-Control"]


def test_custom_css_of_a_file_comes_last_and_can_load_nothing(tmp_path: Path, migrated: str) -> None:
    file = tmp_path / "own.css"
    file.write_text("@import url(https://evil.example/x.css); h1 { color: red }")
    app = make_app(custom_css_file=str(file), database_url=migrated)

    answer = app.test_client().get("/nowhere")
    styles = [link["href"] for link in Page.of(answer).all("link", rel="stylesheet")]
    css = app.test_client().get(styles[-1])

    assert css.get_data() == file.read_bytes()
    assert css.mimetype == "text/css"
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'; style-src 'self'" in policy
    assert "img-src 'self'" in policy
    assert "font-src" not in policy
    assert all(
        "own" not in link["href"] for link in Page.of(app.test_client().get("/operator/login")).all("link")
    )


def test_custom_css_may_lie_in_the_data_folder_for_each_profile(tmp_path: Path, migrated: str) -> None:
    app = make_app(data_dir=str(tmp_path), database_url=migrated)
    client = app.test_client()
    without = client.get("/brand/default/custom.css").status_code
    (tmp_path / "custom.css").write_text("h1 { color: red }")
    for_all = client.get("/brand/default/custom.css").get_data(as_text=True)
    (tmp_path / "custom-default.css").write_text("h1 { color: green }")
    own = client.get("/brand/default/custom.css").get_data(as_text=True)
    (tmp_path / "custom-default.css").write_text("/*" + "x" * 200_000 + "*/")
    too_large = client.get("/brand/default/custom.css").get_data(as_text=True)

    assert without == 404
    assert (for_all, own, too_large) == ("h1 { color: red }", "h1 { color: green }", "h1 { color: red }")


def test_a_changed_file_shows_on_the_form_at_once(tmp_path: Path, migrated: str) -> None:
    client = make_app(data_dir=str(tmp_path), database_url=migrated).test_client()
    before = client.get("/signup").get_data(as_text=True)

    (tmp_path / "custom.css").write_text("h1 { color: red }")

    assert "custom.css" not in before
    assert "custom.css" in client.get("/signup").get_data(as_text=True)
