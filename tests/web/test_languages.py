"""Each reader gets a page in their language: the one they chose, else the link's, else their browser's."""

import pytest
from babel import Locale
from flask import Flask
from flask.testing import FlaskClient

from app.web import languages
from app.web.languages import NAMES
from tests.support.browser import Page
from tests.support.portal import DETAILS, SignupPage

COOKIE = "gangway-language"


def html(client: FlaskClient, path: str = "/signup", wish: str | None = None) -> Page:
    """Fetch a page as a browser that asks for a language."""
    return Page.of(client.get(path, headers={"Accept-Language": wish} if wish else {}))


def language(client: FlaskClient, wish: str | None = None, path: str = "/signup") -> str:
    """Return the language in which a page says that it is written."""
    return html(client, path, wish).one("html")["lang"]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ("de", "de"),
        ("de-AT,en;q=0.5", "de"),
        ("en;q=0.3, ja;q=0.9", "ja"),
        ("pt-PT", "pt-BR"),
        ("pt", "pt-BR"),
        ("zh-TW,zh;q=0.9,fr;q=0.1", "fr"),
        ("tlh", "en"),
        ("*", "en"),
        ("de;q=0, pl", "pl"),
        ("DE_at", "de"),
        (None, "en"),
    ],
)
def test_reads_what_the_browser_asks_for(client: FlaskClient, wish: str | None, expected: str) -> None:
    assert language(client, wish) == expected


@pytest.mark.parametrize(
    "wish",
    [
        "",
        ",;q=;,",
        "de;q=nan",
        "../../etc/passwd",
        "x" * 5000,
        "a," * 3000 + "de",
        "<script>",
        "de;q=1e999",
        "%00",
        "_",
        "-",
    ],
)
def test_survives_hostile_wishes(client: FlaskClient, wish: str) -> None:
    answer = client.get("/signup", headers={"Accept-Language": wish})

    assert answer.status_code == 200
    assert Page.of(answer).one("html")["lang"] in {languages.tag_of(name) for name in NAMES}


def test_arabic_is_written_from_right_to_left(client: FlaskClient) -> None:
    assert html(client, wish="ar").one("html")["dir"] == "rtl"
    assert html(client, wish="de").one("html")["dir"] == "ltr"


@pytest.mark.parametrize("name", NAMES)
def test_each_language_is_written_as_its_readers_do(name: str) -> None:
    assert languages.direction_of(name) == Locale.parse(name).text_direction


def test_the_choice_outlasts_the_page(client: FlaskClient) -> None:
    client.get("/signup?language=ja", headers={"Accept-Language": "de"})

    assert language(client, "de") == "ja"
    assert language(client, "de", "/cancelled") == "ja"


@pytest.mark.parametrize("value", ["xx", "", "../de", "de\r\nSet-Cookie: a=b", "en;q=1" * 50])
def test_a_choice_that_is_not_offered_is_forgotten(client: FlaskClient, value: str) -> None:
    answer = client.get("/signup", query_string={"language": value}, headers={"Accept-Language": "fr"})

    assert Page.of(answer).one("html")["lang"] == "fr"
    assert client.get_cookie(COOKIE) is None


def test_a_forged_cookie_is_ignored(client: FlaskClient) -> None:
    client.set_cookie(COOKIE, "<b>")

    assert language(client, "it") == "it"


def test_the_cookie_is_for_us_alone(client: FlaskClient) -> None:
    answer = client.get("/signup?language=de")

    cookie = next(value for value in answer.headers.getlist("Set-Cookie") if COOKIE in value)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_the_switch_names_each_language_in_its_own_words(client: FlaskClient) -> None:
    page = html(client, "/cancelled?customer=x&customer=y")

    switch = page.one("nav")
    assert [entry.text for entry in switch.all("li")] == list(NAMES.values())
    assert [entry["lang"] for entry in switch.all("li")] == [languages.tag_of(name) for name in NAMES]
    assert switch.one("a", hreflang="de")["href"] == "?customer=x&customer=y&language=de"


def test_the_switch_leads_from_a_post_to_the_form(client: FlaskClient) -> None:
    page = Page.of(client.post("/resume", data={}))

    assert page.one("nav").one("a", hreflang="de")["href"] == "/signup?language=de"


def test_a_long_address_is_not_repeated_ten_times(client: FlaskClient) -> None:
    page = html(client, f"/cancelled?x={'y' * 3000}")

    assert page.one("nav").one("a", hreflang="de")["href"] == "?language=de"


def test_the_switch_keeps_what_was_typed(client: FlaskClient) -> None:
    tab = SignupPage(client)

    tab.press("language", "de", name="Müller & Söhne", key="m-1")

    assert tab.page.one("html")["lang"] == "de"
    assert tab.page.value("name") == "Müller & Söhne"
    assert tab.page.value("email") == DETAILS["email"]
    assert tab.page.value("key") == "m-1"
    assert language(client) == "de"


def test_a_link_may_name_a_language_and_its_reader_another(app: Flask) -> None:
    with app.test_request_context("/signup", headers={"Accept-Language": "fr"}):
        assert str(languages.current()) == "fr"
        languages.prefer("pl")
        assert str(languages.current()) == "pl"
        languages.prefer("xx")
        assert str(languages.current()) == "fr"
    with app.test_request_context("/signup?language=es"):
        languages.prefer("pl")
        assert str(languages.current()) == "es"


def test_only_the_languages_of_a_profile_are_offered(app: Flask) -> None:
    with app.test_request_context("/signup?language=pl", headers={"Accept-Language": "pl,en"}):
        languages.offer(("nl", "xx", "en"))

        assert str(languages.current()) == "en"
        assert [choice["value"] for choice in languages.PageLanguage().choices] == ["nl", "en"]
    with app.test_request_context("/signup", headers={"Accept-Language": "pl"}):
        languages.offer(())
        assert str(languages.current()) == "pl"
        languages.offer(("ja", "nl"))
        assert str(languages.current()) == "ja"


def test_the_console_and_the_api_stay_english(client: FlaskClient) -> None:
    page = html(client, "/operator/login?language=de", "de")
    answer = client.get("/api/v1/customers?language=de", headers={"Accept-Language": "de"})

    assert page.one("html")["lang"] == "en"
    assert "unauthorized error" in answer.get_json()["detail"]
    assert client.get_cookie(COOKIE) is None


def test_commands_use_english(app: Flask) -> None:
    with app.app_context():
        assert str(languages.current()) == "en"
    assert str(languages.current()) == "en"


def test_caches_know_what_a_page_depends_on(client: FlaskClient) -> None:
    answer = client.get("/signup", headers={"Accept-Language": "de"})

    assert {"accept-language", "cookie"} <= {name.lower() for name in answer.vary}
    assert answer.headers["Content-Language"] == "de"
    assert answer.headers["Cache-Control"] == "no-store"


def test_stripe_gets_its_own_name_of_the_language(app: Flask) -> None:
    for wish, expected in {"pt-BR": "pt-BR", "ar": "auto", "de": "de", "en": "en"}.items():
        with app.test_request_context("/signup", headers={"Accept-Language": wish}):
            assert languages.stripe_locale() == expected
