"""Each payment method has one name, the same on every page: brand, wallet, last four digits, expiry."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from app.core.db import utcnow
from app.payers import Payer, PaymentMethod
from app.simulator import Simulator
from tests.support.billing import AMEX, MASTERCARD, VISA, with_cards
from tests.support.browser import Page
from tests.support.portal import sign_up
from tests.support.rows import Rows


def saved(client: FlaskClient, simulator: Simulator, kind: str, facts: dict[str, Any]) -> Page:
    """The return page of somebody who saved a method of that kind."""
    session_id = sign_up(client)
    simulator.save_card(session_id)
    [method_id] = simulator.store.payment_methods
    body = {
        name: value for name, value in simulator.store.payment_methods[method_id].items() if name != "card"
    }
    simulator.store.payment_methods[method_id] = body | {"type": kind, kind: facts}
    return Page.of(client.get("/return"))


@pytest.mark.parametrize(
    ("kind", "facts", "title"),
    [
        ("card", {"brand": "visa", "last4": "4242"}, "Visa •••• 4242"),
        ("card", {"brand": "amex", "last4": "0005"}, "American Express •••• 0005"),
        (
            "card",
            {"brand": "visa", "display_brand": "cartes_bancaires", "last4": "1001"},
            "Cartes Bancaires •••• 1001",
        ),
        ("card", {"brand": "brand_new", "last4": "1234"}, "Brand new •••• 1234"),
        ("us_bank_account", {"bank_name": "STRIPE TEST BANK", "last4": "6789"}, "STRIPE TEST BANK •••• 6789"),
        ("us_bank_account", {"bank_name": None, "last4": "6789"}, "US bank account •••• 6789"),
        ("sepa_debit", {"last4": "3000", "country": "DE"}, "SEPA Direct Debit •••• 3000"),
        ("bacs_debit", {"last4": "2345"}, "Bacs Direct Debit •••• 2345"),
        ("link", {"email": "ada@example.com"}, "Link ada@example.com"),
        ("moon_pay", {}, "Moon pay"),
    ],
)
def test_has_a_name_that_a_person_knows(
    client: FlaskClient, simulator: Simulator, rows: Rows, kind: str, facts: dict[str, Any], title: str
) -> None:
    page = saved(client, simulator, kind, facts)

    assert [method.title for method in rows(PaymentMethod)] == [title]
    assert page.h1 == "Your payment method is saved"
    for word in title.replace("•••• ", "").split():
        assert word.lower() in page.text.lower()


def test_without_a_card_never_expires(client: FlaskClient, simulator: Simulator, rows: Rows) -> None:
    page = saved(client, simulator, "sepa_debit", {"last4": "3000"})

    assert rows(PaymentMethod)[0].expiry is None
    assert "Valid to" not in page.text


def test_shows_no_more_of_a_card_than_its_last_digits(
    client: FlaskClient, simulator: Simulator, rows: Rows
) -> None:
    simulator.save_card(sign_up(client))

    page = Page.of(client.get("/return"))

    assert "4242" in page.text
    assert "42424242" not in page.html.replace(" ", "")
    assert rows(PaymentMethod)[0].id not in page.html


def test_of_one_moment_keep_their_order(client: FlaskClient, simulator: Simulator, session: Session) -> None:
    with_cards(client, simulator, VISA, MASTERCARD, AMEX)
    session.execute(sa.update(PaymentMethod).values(created_at=utcnow()))
    session.commit()

    payer = session.scalars(sa.select(Payer)).one()

    ids = [method.id for method in payer.methods]
    assert len(ids) == len({VISA, MASTERCARD, AMEX})
    assert ids == sorted(ids)
