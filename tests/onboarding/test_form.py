"""The sign-up form keeps what was typed, and says beside each field what is wrong with it."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.customers import Customer
from app.simulator import Simulator
from tests.conftest import make_settings
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.portal import DETAILS, SignupPage, sign_up
from tests.support.rows import Rows

COMPANY = "Northwind Metering"
RETIRED = {"ANG", "BGN", "BYR", "EEK", "HRK", "LTL", "LVL", "MRO", "SLL", "STD", "VEF", "ZMK", "ZWL"}


def test_asks_for_name_address_currency_reference_and_subject_keys(client: FlaskClient) -> None:
    page = Page.of(client.get("/signup"))

    names = [element["name"] for element in page.one("main").all() if element.tag in {"input", "select"}]
    assert names == ["csrf_token", "nonce", "homepage", "name", "email", "currency", "key", "subject_keys"]
    assert page.value("currency") == "USD"
    assert COMPANY in page.text


def test_first_screen_is_one_click_away_from_the_root(client: FlaskClient) -> None:
    answer = client.get("/")

    assert (answer.status_code, answer.location) == (303, "/signup")


def test_shows_where_the_visitor_is(client: FlaskClient) -> None:
    page = Page.of(client.get("/signup"))

    assert page.one("li", aria_current="step").text == "1 Details"


def test_lists_currencies_by_name(client: FlaskClient) -> None:
    page = Page.of(client.get("/signup"))

    options = {option["value"]: option.text for option in page.field("currency").all("option")}
    assert options["JPY"] == "Japanese Yen (JPY)"
    assert len(options) > 120
    assert list(options)[:3] == ["USD", "EUR", "GBP"]
    assert not options.keys() & RETIRED


@pytest.mark.parametrize("name", ["李", "Ada\u200d Ltd", "👩\u200d💻", "İ", "۱۲", "ภาษา", "&"])
def test_takes_a_name_that_can_be_seen(client: FlaskClient, rows: Rows, name: str) -> None:
    sign_up(client, name=f"\u200b {name} \ufeff")

    assert [customer.name for customer in rows(Customer)] == [name]


def test_takes_an_invisible_reference_for_none(client: FlaskClient, rows: Rows) -> None:
    sign_up(client, key="\u200b")

    assert [customer.key for customer in rows(Customer)] == [None]


@for_each(
    ("field", "typed", "said"),
    [
        ("name", "", "Enter your company"),
        ("name", "   ", "Enter your company"),
        ("name", "\u200b", "Enter your company"),
        ("name", " \u2060\u200d\u00ad\ufe0f ", "Enter your company"),
        ("name", "\u3164\u2800", "Enter your company"),
        ("name", "\u202e\u202c", "Enter your company"),
        ("name", "x" * 257, "Use 256 characters or fewer."),
        ("name", "Ada\x01Ltd", "characters that can’t be used"),
        ("name", "Ada\nLtd", "characters that can’t be used"),
        ("email", "", "Enter your email address"),
        ("email", "  ", "Enter your email address"),
        ("email", "ada", "like name@example.com"),
        ("email", "ada@example", "like name@example.com"),
        ("email", "a@b@example.com", "like name@example.com"),
        ("email", "ada\x01@example.com", "like name@example.com"),
        ("email", "a" * 250 + "@example.com", "Use 254 characters or fewer."),
        ("currency", "", "Choose a currency."),
        ("currency", "XXX", "Not a valid choice"),
        ("currency", "eur", "Not a valid choice"),
        ("key", "k" * 257, "Use 256 characters or fewer."),
        ("key", "a\tb", "characters that can’t be used"),
    ],
)
def test_says_beside_a_field_what_is_wrong(
    client: FlaskClient, simulator: Simulator, field: str, typed: str, said: str
) -> None:
    form = SignupPage(client)

    answer = form.submit(**{field: typed})

    assert answer.status_code == 422
    assert said in form.page.error(field)
    assert form.page.one("title").text.startswith("Error: ")
    assert not simulator.store.customers


def test_keeps_what_was_typed(client: FlaskClient) -> None:
    form = SignupPage(client)

    form.submit(email="nonsense", name="  Ada & <b>Söhne</b> ")

    assert form.page.value("name") == "Ada & <b>Söhne</b>"
    assert form.page.value("email") == "nonsense"
    assert form.page.value("currency") == "EUR"
    assert form.page.value("key") == "ada-1"
    assert form.page.values("subject_keys") == ["engine-1", "engine-2"]
    assert form.page.error("name") == ""


def test_says_all_that_is_wrong_at_once(client: FlaskClient) -> None:
    form = SignupPage(client)

    form.submit(name="", email="", subject_keys=["a", "a"])

    links = [link["href"] for link in form.page.one("main").all("a") if link["href"].startswith("#")]
    assert links == ["#name", "#email", "#subject_keys-1"]


@for_each(
    ("keys", "errors"),
    [
        (["a", "b", " a "], ["", "", "already entered this name"]),
        (["a", "x" * 257], ["", "256 characters or fewer"]),
        (["a", "b\x01"], ["", "characters that can’t be used"]),
        (["a\r\nb"], ["characters that can’t be used"]),
    ],
)
def test_checks_each_subject_key(client: FlaskClient, keys: list[str], errors: list[str]) -> None:
    form = SignupPage(client)

    answer = form.submit(subject_keys=keys)

    assert answer.status_code == 422
    said = form.page.errors("subject_keys")
    assert len(said) == len(errors)
    assert all(
        wanted in found and bool(wanted) is bool(found) for wanted, found in zip(errors, said, strict=True)
    )


def test_takes_a_hundred_subject_keys_and_no_more(client: FlaskClient, simulator: Simulator) -> None:
    form = SignupPage(client)

    refused = form.submit(subject_keys=[f"k{number}" for number in range(101)])
    page = form.page
    taken = SignupPage(client).submit(subject_keys=[f"k{number}" for number in range(100)])

    assert refused.status_code == 422
    assert "100 names or fewer" in page.text
    assert taken.status_code == 303


def test_adds_a_subject_key_without_a_script(client: FlaskClient, simulator: Simulator) -> None:
    form = SignupPage(client)

    answer = form.press("add_subject_key", name="Ada", email="", subject_keys=["first"])

    assert answer.status_code == 200
    assert form.page.values("subject_keys") == ["first", ""]
    assert form.page.value("name") == "Ada"
    assert form.page.error("email") == ""
    assert not simulator.store.customers


def test_leaves_out_a_subject_key_that_was_emptied(client: FlaskClient, rows: Rows) -> None:
    sign_up(client, subject_keys=["a", "", "  ", "c"])

    assert [customer.subject_keys for customer in rows(Customer)] == [["a", "c"]]


@pytest.mark.parametrize(
    "name",
    [
        "Ünïcödé GmbH",
        "株式会社アクメ",
        "شركة أكمي",
        "Acme 🚀👩‍👩‍👧",
        'O\'Brien "&" <Sons>',
        "x" * 256,
        "-",
        "'; DROP TABLE",
    ],
)
def test_takes_any_name_as_it_is(
    client: FlaskClient, app: Flask, simulator: Simulator, name: str, rows: Rows
) -> None:
    sign_up(client, name=name, key="", subject_keys=[name])

    assert [customer.name for customer in rows(Customer)] == [name]
    assert [customer["name"] for customer in simulator.store.customers.values()] == [name]
    assert Page.of(client.get("/signup")).value("name") == name


def test_takes_the_longest_of_everything(client: FlaskClient, rows: Rows) -> None:
    address = "a" * 64 + "@" + "b" * 60 + "." + "c" * 60 + "." + "d" * 60 + ".com"

    sign_up(client, name="🚀" * 256, email=address, key="k" * 256, subject_keys=["s" * 256])

    assert [customer.primary_email for customer in rows(Customer)] == [address]


def test_takes_a_reference_that_is_left_empty(client: FlaskClient, rows: Rows) -> None:
    sign_up(client, key="  ")

    assert [customer.key for customer in rows(Customer)] == [None]


def test_comes_back_with_the_details_of_an_unfinished_sign_up(client: FlaskClient) -> None:
    sign_up(client)

    page = Page.of(client.get("/signup"))

    assert {name: page.value(name) for name in ("name", "email", "currency", "key")} == {
        name: DETAILS[name] for name in ("name", "email", "currency", "key")
    }
    assert page.values("subject_keys") == DETAILS["subject_keys"]
    assert "Welcome back" in page.text


def test_starts_again_when_asked_to(client: FlaskClient) -> None:
    sign_up(client)

    page = Page.of(client.get("/signup?new=1"))

    assert page.value("name") == ""
    assert "Welcome back" not in page.text


def test_shows_nobody_the_details_of_another(app: Flask, client: FlaskClient) -> None:
    sign_up(client)

    page = Page.of(app.test_client().get("/signup"))

    assert page.value("name") == ""
    assert "Lovelace" not in page.html


def test_is_blank_for_somebody_new_once_a_card_is_saved(client: FlaskClient, simulator: Simulator) -> None:
    simulator.save_card(sign_up(client))
    client.get("/return")

    page = Page.of(client.get("/signup?new=1"))

    assert page.value("name") == ""


class TestWithSettings:
    """What the form takes from the settings."""

    @pytest.fixture
    def settings(self, database_url: str) -> object:
        return make_settings(
            database_url=database_url,
            terms_url="https://example.com/terms",
            default_currency="chf",
            company_name="Ćompany & Sons",
        )

    def test_links_the_terms(self, client: FlaskClient) -> None:
        page = Page.of(client.get("/signup"))

        links = page.one("main").all("a", href="https://example.com/terms")
        assert [link["rel"] for link in links] == ["noopener"]

    def test_chooses_the_currency_at_first(self, client: FlaskClient) -> None:
        page = Page.of(client.get("/signup"))

        assert page.value("currency") == "CHF"

    def test_bears_the_company_name(self, client: FlaskClient) -> None:
        page = Page.of(client.get("/signup"))

        assert page.one("title").text.endswith("Ćompany & Sons")


def size_of(client: FlaskClient, path: str) -> int:
    with client.get(path) as answer:
        return len(answer.get_data())


def test_weighs_less_than_fifty_kilobytes_with_all_it_loads(client: FlaskClient) -> None:
    html = client.get("/signup").get_data()

    loaded = re.findall(r'(?:href|src)="(/(?:static/|brand)[^"]*)"', html.decode())
    total = len(html) + sum(size_of(client, path) for path in loaded)
    assert len(loaded) >= 3
    assert total < 50_000
