"""The company's name, logo and colour are on every page, and stay readable whatever the colour."""

import re
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><script>alert(1)</script></svg>'


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


def papers(app: Flask) -> dict[str, list[str]]:
    """The grounds of portal.css that have links, light and dark."""
    with app.test_client().get("/static/portal.css") as answer:
        light, dark, *_ = answer.get_data(as_text=True).split("@media (prefers-color-scheme: dark)")
    found = {
        name: re.findall(r"--(?:ground|surface): (#[0-9a-f]+);", text)
        for name, text in (("light", light), ("dark", dark))
    }
    return {name: [full(colour) for colour in colours] for name, colours in found.items()}


def full(colour: str) -> str:
    """#rgb as #rrggbb."""
    return colour if len(colour) == 7 else "#" + "".join(2 * digit for digit in colour[1:])


def shades(app: Flask) -> dict[str, dict[str, str]]:
    """The colours of brand.css, on light and on dark."""
    css = app.test_client().get("/brand.css").get_data(as_text=True)
    light, dark = css.split("@media (prefers-color-scheme:dark)")
    return {
        name: dict(re.findall(r"--([a-z-]+):(#[0-9a-f]{6})", text))
        for name, text in (("light", light), ("dark", dark))
    }


@for_each(
    "accent",
    ["#ffff00", "#000000", "#ffffff", "#3b5bdb", "#808080", "#ff0000", "#00ff00", "#0000ff", "#14171F"],
)
@for_each("scheme", ["light", "dark"])
def test_any_accent_can_be_read(accent: str, scheme: str) -> None:
    app = create_app(make_settings(accent_color=accent))

    shade, grounds = shades(app)[scheme], papers(app)[scheme]

    assert len(grounds) == 2
    assert min(contrast(shade["accent"], ground) for ground in grounds) >= 4.5
    assert contrast(shade["on-accent"], shade["accent"]) >= 4.5
    assert contrast(shade["on-accent"], shade["accent-strong"]) >= 4.5


def test_readable_accent_is_left_as_it_is() -> None:
    app = create_app(make_settings(accent_color="#3b5bdb"))

    assert shades(app)["light"]["accent"] == "#3b5bdb"


def test_style_comes_as_css() -> None:
    answer = create_app(make_settings()).test_client().get("/brand.css")

    assert answer.mimetype == "text/css"


def test_logo_stands_on_every_page_and_can_run_no_script(tmp_path: Path, migrated: str) -> None:
    file = tmp_path / "logo.svg"
    file.write_text(SVG)
    client = create_app(make_settings(logo_file=str(file), database_url=migrated)).test_client()

    page = Page.of(client.get("/nowhere"))
    with client.get(page.one("img", class_="brand-logo")["src"]) as answer:
        assert answer.mimetype == "image/svg+xml"
        assert answer.get_data(as_text=True) == SVG
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "max-age=3600" in answer.headers["Cache-Control"]


def test_logo_file_is_found_from_the_folder_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG")
    client = create_app(make_settings(logo_file="logo.png")).test_client()

    with client.get("/brand/logo") as answer:
        assert answer.mimetype == "image/png"


def test_without_a_logo_the_first_letter_stands_for_it() -> None:
    page = Page.of(create_app(make_settings(company_name="ünder")).test_client().get("/nowhere"))

    assert page.one("span", class_="brand-mark").text == "Ü"


def test_name_is_text_and_never_markup() -> None:
    page = Page.of(
        create_app(make_settings(company_name='<b onclick="x">&</b>')).test_client().get("/nowhere")
    )

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
    page = Page.of(create_app(make_settings()).test_client().get("/nowhere"))

    assert "payments are simulated" in page.text


def test_pages_do_without_what_is_not_set() -> None:
    page = Page.of(create_app(make_settings(support_email="", terms_url="")).test_client().get("/nowhere"))

    assert links_below(page) == []
