"""How customers are searched: in whichever field, in whichever case, with or without accents."""

import pytest
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import db
from app.customers import Customer
from app.customers.search import fold, search_text
from tests.support.api import Api
from tests.support.cases import for_each
from tests.support.crowd import add
from tests.support.rows import Rows

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@for_each(
    ("written", "looked_for"),
    [
        ("Ärzte ohne Grenzen", "ärzte"),
        ("Ärzte ohne Grenzen", "ARZTE OHNE"),
        ("Straße 7", "STRASSE"),
        ("İstanbul A.Ş.", "istanbul a.s."),
        ("Isparta", "ısparta"),  # noqa: RUF001
        ("Łódź Sp. z o.o.", "lodz"),
        ("Société Générale", "generale"),
        ("ﬁnance", "finance"),
        ("Ｆｕｌｌｗｉｄｔｈ", "fullwidth"),  # noqa: RUF001
        ("O\u2019Brien\u200b", "o’brien"),
        ("two\t  spaces", "two spaces"),
        ("株式会社日立製作所", "日立"),
        ("شركة", "شركة"),
        ("e\u0301te", "été"),
        ("soft\u00adhyphen", "softhyphen"),
    ],
)
def test_finds_a_text_however_it_is_written(written: str, looked_for: str) -> None:
    assert fold(looked_for) in fold(written)


@settings(deadline=None)
@given(before=TEXTS, text=TEXTS, after=TEXTS)
def test_finds_each_part_of_a_text(before: str, text: str, after: str) -> None:
    assert fold(text) in fold(before + text + after)


@settings(deadline=None)
@given(TEXTS)
def test_knows_no_letter_case(text: str) -> None:
    assert fold(text.lower()) == fold(text)


@settings(deadline=None)
@given(TEXTS)
def test_folds_once_and_for_all(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert "\n" not in fold(text)


def test_has_every_field_of_a_customer() -> None:
    found = search_text("ACME, Inc.", "Key-1", "Ada@Example.com", ["z", "Meter 2"])

    assert found == "\nacme, inc.\nada@example.com\nkey-1\nmeter 2\nz"


def test_follows_the_customer(app: Flask, api: Api, rows: Rows) -> None:
    add(app, "Old name", key="acme", subject_keys=("meter-1",))

    api.put("/customers/acme", {"name": "New name", "key": "acme", "primaryEmail": "new@example.com"})

    with app.app_context():
        [found] = db.session().query(Customer.search_text).all()
    assert found == ("\nnew name\nnew@example.com\nacme",)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"name": "ärz"}, ["Ärzte"]),
        ({"name": "ÄRZ"}, ["Ärzte"]),
        ({"name": "arz"}, []),  # OpenMeter's filters know letter case alone
        ({"key": "ärz"}, []),
        ({"subject": "ÉTÉ"}, ["Ärzte"]),
    ],
)
def test_serves_the_filters_of_the_api(app: Flask, api: Api, query: dict[str, str], found: list[str]) -> None:
    add(app, "Ärzte", key="k", subject_keys=("été",), primary_email="i@example.com")
    add(app, "Other", key="o")

    body = api.get("/customers", **query).get_json()

    assert [item["name"] for item in body["items"]] == found
    assert body["totalCount"] == len(found)
