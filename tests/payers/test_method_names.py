"""Every page calls a payment method by one name, as its owner writes it: brand, bank, wallet or own name.
What has no brand is a card."""

import re
from typing import Any

import pytest
import stripe

from app.gateway import Method
from app.payers import PaymentMethod, method_names

CARD = {"last4": "0005", "exp_month": 12, "exp_year": 2034}


def stored(kind: str, details: dict[str, Any]) -> PaymentMethod:
    """The row that is kept of a method as Stripe answers it."""
    method = Method.of({"id": "pm_1", "type": kind, "created": 1, "customer": "cus_1", kind: details})
    row = PaymentMethod(id=method.id)
    for column in ("type", "brand", "last4", "bank_name", "email", "wallet", "display_name", "handle"):
        setattr(row, column, getattr(method, column))
    return row


@pytest.mark.parametrize(
    ("kind", "details", "name", "title"),
    [
        ("paypal", {"payer_email": "a@example.com"}, "PayPal", "PayPal a@example.com"),
        ("paypal", {}, "PayPal", "PayPal"),
        ("au_becs_debit", {"last4": "3456"}, "AU BECS Debit", "AU BECS Debit •••• 3456"),
        (
            "card",
            CARD | {"brand": "unionpay", "display_brand": "union_pay"},
            "UnionPay",
            "UnionPay •••• 0005",
        ),
        ("card", CARD | {"brand": "visa", "display_brand": "eftpos_australia"}, "eftpos", "eftpos •••• 0005"),
        ("card", CARD | {"brand": "eftpos_au", "display_brand": None}, "eftpos", "eftpos •••• 0005"),
        ("card", CARD | {"brand": "unknown", "display_brand": "other"}, "Card", "Card •••• 0005"),
        ("card", CARD | {"brand": "jcb", "display_brand": "other"}, "JCB", "JCB •••• 0005"),
        ("card", CARD | {"brand": None}, "Card", "Card •••• 0005"),
        (
            "custom",
            {"display_name": "Company voucher", "type": "cpmt_1"},
            "Company voucher",
            "Company voucher",
        ),
        ("custom", {"display_name": None, "type": "cpmt_1"}, "Other payment method", "Other payment method"),
        ("cashapp", {"cashtag": "$example"}, "Cash App Pay", "Cash App Pay $example"),
        ("us_bank_account", {"bank_name": "CHASE", "last4": "6789"}, "CHASE", "CHASE •••• 6789"),
        ("sepa_debit", {"last4": "3000"}, "SEPA Direct Debit", "SEPA Direct Debit •••• 3000"),
        ("link", {"email": "a@example.com"}, "Link", "Link a@example.com"),
        ("yet_unknown", {"last4": "1"}, "Yet unknown", "Yet unknown •••• 1"),
    ],
)
def test_names_a_method_once(kind: str, details: dict[str, Any], name: str, title: str) -> None:
    row = stored(kind, details)

    assert (row.name, row.title) == (name, title)


@pytest.mark.parametrize(
    ("wallet", "called"), [("apple_pay", "Apple Pay"), ("google_pay", "Google Pay"), ("new_pay", "New pay")]
)
def test_tells_the_wallet_of_a_card(wallet: str, called: str) -> None:
    row = stored("card", CARD | {"brand": "visa", "last4": "4242", "wallet": {"type": wallet}})

    assert row.title == f"Visa •••• 4242, {called}"
    assert row.wallet_name == called


def test_has_a_name_for_every_type_of_stripe() -> None:
    known = re.findall(r"[\"'](\w+)[\"']", str(stripe.PaymentMethod.__annotations__["type"]))

    assert len(known) > 50
    assert [kind for kind in known if kind not in method_names.TYPES] == []
