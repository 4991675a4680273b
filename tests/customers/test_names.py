"""The names that customers hold: references and subject keys."""

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.core import db
from app.core.db import utcnow
from app.customers import Customer
from tests.support.api import Api
from tests.support.cases import for_each
from tests.support.hidden import HIDDEN, VISIBLE
from tests.support.portal import SignupPage, sign_up
from tests.support.rows import Rows


def submit(app: Flask, **details: object) -> int:
    """Sign up in another browser."""
    return SignupPage(app.test_client()).submit(**details).status_code


def test_a_subject_key_may_be_the_reference_of_another(app: Flask, rows: Rows) -> None:
    submit(app, key="acme", subject_keys=["meter"])

    status = submit(app, key="", subject_keys=["acme"])

    assert status == 303
    assert len(rows(Customer)) == 2


def test_a_reference_may_not_be_the_subject_key_of_another(app: Flask, rows: Rows) -> None:
    submit(app, key="acme", subject_keys=["meter"])

    status = submit(app, key="meter", subject_keys=["other"])

    assert status == 422
    assert len(rows(Customer)) == 1


def test_a_reference_may_be_ones_own_subject_key(app: Flask, rows: Rows) -> None:
    status = submit(app, key="acme", subject_keys=["acme"])

    assert status == 303


def test_many_may_go_without_a_reference(app: Flask, rows: Rows) -> None:
    for subject in ("one", "two"):
        submit(app, key="", subject_keys=[subject])

    assert [customer.key for customer in rows(Customer)] == [None, None]


def test_names_are_distinguished_by_case(app: Flask, rows: Rows) -> None:
    submit(app, key="acme", subject_keys=["meter"])

    assert submit(app, key="ACME", subject_keys=["Meter"]) == 303


@for_each("key", HIDDEN)
def test_a_form_takes_no_name_with_a_character_that_nobody_can_see(app: Flask, rows: Rows, key: str) -> None:
    middle = f"x{key}x"  # what stands at the ends may be trimmed

    assert submit(app, key=middle, subject_keys=["one"]) == 422
    assert submit(app, key="one", subject_keys=[middle]) == 422
    assert rows(Customer) == []


@for_each("key", [*VISIBLE, *HIDDEN])
def test_a_program_may_give_any_name(api: Api, key: str) -> None:
    made = api.post("/customers", {"name": "A", "key": key, "usageAttribution": {"subjectKeys": [key]}})

    assert made.status_code == 201
    assert made.get_json()["key"] == key


def test_names_are_trimmed_before_they_are_compared(app: Flask, rows: Rows) -> None:
    submit(app, key="acme", subject_keys=["meter"])

    assert submit(app, key=" acme ", subject_keys=["other"]) == 422
    assert submit(app, key="", subject_keys=["\u00a0meter "]) == 422


@pytest.fixture
def deleted(app: Flask, client: FlaskClient) -> str:
    """The id of a customer that was deleted, as an operator would."""
    sign_up(client, key="acme", subject_keys=["meter"])
    with app.app_context():
        session = db.session()
        customer = session.scalars(sa.select(Customer)).one()
        _delete(session, customer)
        customer_id = customer.id
        session.commit()
    return customer_id


def _delete(session: Session, customer: Customer) -> None:
    customer.deleted_at = utcnow()
    for subject in customer.subjects:
        subject.deleted_at = utcnow()


def test_names_of_a_deleted_customer_are_free(app: Flask, deleted: str, rows: Rows) -> None:
    status = submit(app, key="acme", subject_keys=["meter"])

    assert status == 303
    assert len(rows(Customer)) == 2


def test_id_of_a_deleted_customer_is_no_ones_reference(app: Flask, deleted: str) -> None:
    assert submit(app, key=deleted, subject_keys=["other"]) == 422


def test_deleted_customer_is_not_shown_in_the_form_again(client: FlaskClient, deleted: str) -> None:
    assert SignupPage(client).page.value("name") == ""
