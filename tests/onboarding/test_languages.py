"""A customer signs up in their own language, from the form to the page that says that all is well."""

import re
from datetime import UTC, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.reference import countries
from app.customers import Customer
from app.simulator import Simulator
from app.web.times import minute
from tests.support.billing import BillingPage
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.portal import SignupPage, session_of
from tests.support.return_page import look
from tests.support.rows import Rows

LATIN_SENTENCE = re.compile(r"[A-Za-z]+ [a-z]+ [a-z]+ [a-z]+")  # Stripe's name and the company's may stay


def reader(client: FlaskClient, language: str) -> FlaskClient:
    """Let a browser ask for a language on every page."""
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = language
    return client


@pytest.mark.parametrize(("language", "direction"), [("ja", "ltr"), ("ar", "rtl")])
def test_a_whole_sign_up(
    client: FlaskClient, simulator: Simulator, rows: Rows, language: str, direction: str
) -> None:
    tab = SignupPage(reader(client, language))
    form = tab.page
    session_id = session_of(tab.submit(name="株式会社 エイダ"))
    simulator.save_card(session_id)
    done = look(client)

    [customer] = rows(Customer)
    assert customer.name == "株式会社 エイダ"
    for page in (form, done):
        assert page.one("html")["lang"] == language
        assert page.one("html")["dir"] == direction
        assert not LATIN_SENTENCE.search(page.one("main").text)
    assert done.h1 in {"お支払い方法が登録されました", "وسيلة الدفع محفوظة"}


@for_each(("language", "said"), [("de", "Keine gültige Auswahl."), ("ja", "選択肢が正しくありません。")])
def test_a_value_that_no_browser_sends_is_refused_in_the_readers_language(
    client: FlaskClient, language: str, said: str
) -> None:
    form = SignupPage(reader(client, language))

    form.submit(currency="XXX")

    assert said in form.page.error("currency")


@for_each(("wish", "locale"), [("de", "de"), ("pt", "pt-BR"), ("ar", "auto"), ("en", "en"), ("sv", "en")])
def test_stripe_shows_its_page_in_the_language_of_ours(
    client: FlaskClient, simulator: Simulator, wish: str, locale: str
) -> None:
    session_id = session_of(SignupPage(reader(client, wish)).submit())

    assert simulator.store.checkout_sessions[session_id]["locale"] == locale


def test_a_reader_who_changes_the_language_gets_stripes_page_in_it(
    client: FlaskClient, simulator: Simulator
) -> None:
    tab = SignupPage(reader(client, "de"))
    first = session_of(tab.submit())
    again = session_of(tab.submit())
    client.get("/signup?language=ja")
    other = session_of(tab.submit())

    assert first == again
    assert other != first
    assert simulator.store.checkout_sessions[first]["status"] == "expired"
    assert simulator.store.checkout_sessions[other]["locale"] == "ja"


def test_errors_are_in_the_language_of_the_page(client: FlaskClient) -> None:
    tab = SignupPage(reader(client, "de"))

    answer = tab.submit(name="", email="nobody", key="x" * 257)

    assert answer.status_code == 422
    assert "Geben Sie den Namen Ihrer Firma oder Ihren eigenen ein." in tab.page.error("name")
    assert "Geben Sie eine E-Mail-Adresse wie name@example.com ein." in tab.page.error("email")
    assert "Verwenden Sie höchstens 256 Zeichen." in tab.page.error("key")
    assert tab.page.one("title").text.startswith("Fehler: ")


@for_each(
    ("language", "colon"),
    [("de", ": "), ("fr", "\u00a0: "), ("ja", "\uff1a")],
)
def test_the_list_of_errors_has_the_colon_of_the_language(
    client: FlaskClient, language: str, colon: str
) -> None:
    tab = SignupPage(reader(client, language))

    tab.submit(name="")

    assert f"</a>{colon}" in tab.page.html


@pytest.mark.parametrize(
    ("path", "heading"), [("/nothing", "Wir können diese Seite nicht finden"), ("/forgotten", None)]
)
def test_error_pages_are_too(client: FlaskClient, path: str, heading: str | None) -> None:
    page = Page.of(reader(client, "de").get(path))

    assert page.one("html")["lang"] == "de"
    assert heading is None or page.h1 == heading


def test_what_is_typed_in_a_sentence_is_not_taken_for_html(client: FlaskClient, simulator: Simulator) -> None:
    tab = SignupPage(reader(client, "fr"))
    simulator.save_card(session_of(tab.submit(name="<b>%(name)s & 100 %</b>")))

    look(client)

    page = Page.of(client.get("/signup"))

    assert "<b>%(name)s & 100 %</b>" in page.one("main").text


def test_payment_methods_and_what_happened_are_named_in_the_language_of_the_page(
    client: FlaskClient, simulator: Simulator
) -> None:
    session_id = session_of(SignupPage(reader(client, "de")).submit(currency="EUR"))
    simulator.pay_by_bank(session_id, "sepa_debit")
    look(client)

    page = BillingPage(client)

    assert "SEPA-Lastschrift •••• 3000 wurde hinterlegt" in page.text
    assert page.titles == ["SEPA-Lastschrift •••• 3000 Standard"]
    assert "Direct Debit" not in page.text


def test_a_time_is_written_in_the_language_of_the_page(app: Flask) -> None:
    with app.test_request_context(headers={"Accept-Language": "ja"}):
        assert minute(datetime(2026, 3, 4, 5, 6, tzinfo=UTC)) == "2026年3月4日 5:06（UTC）"


def test_countries_are_those_of_the_standard() -> None:
    offered = dict(countries.choices("en"))

    assert {"AC", "JP", "TA", "XK"} <= offered.keys()
    assert not {"CP", "CQ", "DG", "EA", "IC", "QO"} & offered.keys()
