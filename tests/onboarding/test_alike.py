"""The same details without a key, sent from two forms of one browser, are one sign-up."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.customers import Customer
from app.simulator import Simulator
from tests.support.portal import SignupPage, session_of
from tests.support.rows import Rows
from tests.support.tokens import program

NAMELESS = {"key": "", "subject_keys": [""]}


@pytest.fixture
def two_forms(client: FlaskClient) -> tuple[SignupPage, SignupPage]:
    """Two tabs that were opened before either was sent."""
    first, second = SignupPage(client), SignupPage(client)
    assert first.page.value("nonce") != second.page.value("nonce")
    return first, second


def test_gets_one_customer(
    two_forms: tuple[SignupPage, SignupPage], rows: Rows, simulator: Simulator
) -> None:
    opened = {session_of(form.submit(**NAMELESS)) for form in two_forms}

    assert opened == set(simulator.store.checkout_sessions)
    assert len(rows(Customer)) == len(simulator.store.customers) == 1


def test_gets_another_after_the_first_was_deleted(
    app: Flask, two_forms: tuple[SignupPage, SignupPage], rows: Rows
) -> None:
    first, second = two_forms
    first.submit(**NAMELESS)
    [deleted] = rows(Customer)
    program(app).delete(f"/api/v1/customers/{deleted.id}")

    second.submit(**NAMELESS)

    assert len([customer for customer in rows(Customer) if customer.deleted_at is None]) == 1


def test_gets_another_after_the_first_was_corrected(
    two_forms: tuple[SignupPage, SignupPage], rows: Rows
) -> None:
    first, second = two_forms
    first.submit(**NAMELESS)
    first.submit(**NAMELESS, name="Babbage & Co")

    second.submit(**NAMELESS)

    assert len(rows(Customer)) == 2
