"""The list of customers as CSV has every customer who fits the filters, and opens safely in a spreadsheet."""

import csv
from io import StringIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app import payers
from app.audit import Entry
from app.core import db
from app.customers import Customer
from app.simulator import Simulator
from tests.support.console import sign_in
from tests.support.console_customers import install_another
from tests.support.crowd import add, bill, crowd, save_card
from tests.support.rows import Rows

FILE = "/operator/customers.csv"


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The browser of somebody who may act."""
    return sign_in(app, "operator")


def lines(console: FlaskClient, **query: Any) -> list[dict[str, str]]:
    """What a program reads in the file, by the names of the columns."""
    answer = console.get(FILE, query_string=query)
    assert answer.status_code == 200
    return list(csv.DictReader(StringIO(answer.get_data().decode("utf-8-sig"), newline="")))


def test_has_a_line_for_each_customer(app: Flask, console: FlaskClient) -> None:
    first = add(
        app, "ACME", key="k-1", primary_email="a@example.com", subject_keys=("m-2", "m-1"), currency="EUR"
    )
    [stripe_id] = bill(app, [first], "saved")
    save_card(app, first)
    second = add(app, "Bare")

    found = lines(console)

    assert [line["id"] for line in found] == [first, second]
    assert (
        found[0].items()
        >= {
            "name": "ACME",
            "email": "a@example.com",
            "key": "k-1",
            "subject_keys": "m-1; m-2",
            "currency": "EUR",
            "payment_status": "saved",
            "payment_method": "Visa •••• 4242",
            "stripe_customer": stripe_id,
            "mode": "test",
            "checked_at": "",
            "deleted_at": "",
        }.items()
    )
    assert found[0]["stripe_account"].startswith("acct_")
    assert found[0]["created_at"].endswith("Z")
    assert (found[1]["payment_status"], found[1]["stripe_customer"]) == ("none", "")


def test_reports_the_app_that_counts_when_there_are_several(
    app: Flask, console: FlaskClient, simulator: Simulator
) -> None:
    other = install_another(app, simulator)
    made = add(app, "ACME")
    bill(app, [made], "saved", app_id=other, stripe_customer_id="cus_other")
    bill(app, [made], "failed", stripe_customer_id="cus_default")

    usual, filtered, by_app = (
        [(line["stripe_customer"], line["payment_status"]) for line in lines(console, **query)]
        for query in ({}, {"status": "saved"}, {"app": other})
    )

    assert usual == [("cus_default", "failed")]
    assert filtered == by_app == [("cus_other", "saved")]


def test_is_one_that_browsers_keep_and_spreadsheets_read(app: Flask, console: FlaskClient) -> None:
    add(app, 'Say "hi", Ärzte')

    answer = console.get(FILE)

    data = answer.get_data()
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="customers-20')
    assert answer.headers["Cache-Control"] == "no-store"
    assert data.startswith(b"\xef\xbb\xbfid,name,email,key,")
    assert data.count(b"\r\n") == 2
    assert data.endswith(b"\r\n")
    assert '"Say ""hi"", Ärzte"'.encode() in data


def test_holds_no_formula(app: Flask, console: FlaskClient) -> None:
    dangerous = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "\uff1d1"]
    for text in dangerous:
        add(app, text, key=f"{text}!", primary_email=text, subject_keys=(f"{text}?",))

    found = lines(console)

    assert [line["name"] for line in found] == [f"'{text}" for text in dangerous]
    assert [line["email"] for line in found] == [f"'{text}" for text in dangerous]
    assert [line["key"] for line in found] == [f"'{text}!" for text in dangerous]
    assert [line["subject_keys"] for line in found] == [f"'{text}?" for text in dangerous]


@pytest.mark.parametrize("mark", [",", ";", ", ", "\t", "|", ":", '"', "'", '";"', "\n", "\r\n"])
def test_holds_no_formula_where_a_spreadsheet_would_split_a_cell(
    app: Flask, console: FlaskClient, mark: str
) -> None:
    add(app, f"ACME{mark}=1+1", primary_email=f"x{mark}@SUM(A1)", subject_keys=("a", f"b{mark}-1", "=c"))

    [line] = lines(console)

    neutral = mark.rstrip(" ") + "'" + (" " if mark.endswith(" ") else "")
    assert line["name"] == f"ACME{neutral}=1+1"
    assert line["email"] == f"x{neutral}@SUM(A1)"
    assert line["subject_keys"] == f"'=c; a; b{neutral}-1"


def test_holds_no_formula_behind_what_nobody_sees(app: Flask, console: FlaskClient) -> None:
    for text in (" =1", "\u200b=1", "\ufeff+1", "\u00a0@x", ";\u2060-1", "\u202e=1", "\u2067\u00ad=1"):
        add(app, text)

    assert [line["name"] for line in lines(console)] == [
        "' =1", "'\u200b=1", "'\ufeff+1", "'\u00a0@x", ";'\u2060-1", "'\u202e=1", "'\u2067\u00ad=1",
    ]  # fmt: skip


def test_leaves_ordinary_text_as_it_is(app: Flask, console: FlaskClient) -> None:
    for text in ("Smith - Sons", "a=b", "Q+A @ night", "O'Brien-Müller", "12:30, 14:00"):
        add(app, text)

    assert [line["name"] for line in lines(console)] == [
        "Smith - Sons", "a=b", "Q+A @ night", "O'Brien-Müller", "12:30, 14:00",
    ]  # fmt: skip


def test_has_those_who_fit(app: Flask, console: FlaskClient) -> None:
    ids = [add(app, name) for name in ("Ada", "Bob", "Cid")]
    [stripe_id] = bill(app, ids[:1], "failed")
    with app.app_context():
        session = db.session()
        payers.delete_customer(session, session.get_one(Customer, ids[2]), actor="test")
        session.commit()

    found = {
        name: [line["name"] for line in lines(console, **query)]
        for name, query in {
            "search": {"q": "ad"},
            "id": {"q": stripe_id},
            "status": {"status": "failed"},
            "none": {"status": "none"},
            "deleted": {"show": "deleted"},
            "nobody": {"q": "nobody"},
        }.items()
    }

    assert found == {
        "search": ["Ada"],
        "id": ["Ada"],
        "status": ["Ada"],
        "none": ["Bob"],
        "deleted": ["Cid"],
        "nobody": [],
    }


@pytest.mark.parametrize("number", [999, 1000, 1001, 2500])
def test_has_all_of_many_once(app: Flask, console: FlaskClient, number: int) -> None:
    ids = crowd(app, number)

    assert [line["id"] for line in lines(console, sort="-name", page="7")] == ids


def test_holds_nothing_while_it_is_read(app: Flask, console: FlaskClient) -> None:
    crowd(app, 1_500)
    with app.app_context():
        pool = db.engine().pool
    reading = console.get(FILE, buffered=False)
    pieces = iter(reading.response)
    next(pieces)
    next(pieces)

    held = pool.checkedout()  # type: ignore[attr-defined]
    with app.app_context():  # somebody deletes everyone meanwhile
        session = db.session()
        db.start_write(session)
        session.execute(sa.delete(Customer))
        session.commit()

    assert held == 0
    assert list(pieces) == []
    reading.close()


def test_stands_in_the_audit_log_without_what_was_looked_for(
    app: Flask, console: FlaskClient, rows: Rows
) -> None:
    add(app, "ACME")

    lines(console, q="acme", status="failed")

    [entry] = [entry for entry in rows(Entry) if entry.kind == "customers.exported"]
    assert entry.actor.startswith("operator:")
    assert entry.facts == {"status": "failed", "search": "yes"}


def test_is_not_for_those_who_may_only_look(app: Flask, rows: Rows) -> None:
    add(app, "ACME")
    viewer = sign_in(app, "viewer")

    answer = viewer.get(FILE)

    assert answer.status_code == 403
    assert "Download CSV" not in viewer.get("/operator/customers").get_data(as_text=True)
    assert not [entry for entry in rows(Entry) if entry.kind == "customers.exported"]


def test_is_linked_with_what_is_asked_for(app: Flask, console: FlaskClient) -> None:
    add(app, "ACME")

    page = console.get("/operator/customers?q=acme&sort=name&size=25&columns=name").get_data(as_text=True)

    assert 'href="/operator/customers.csv?q=acme"' in page
