"""How Stripe says a customer can be reached, as a record keeps it and compares it."""

import re
from typing import Any

from app.core.addresses import ADDRESS_PARTS
from app.core.reference.tax_ids import TaxNumber

MAX_PART_LENGTH = 500
Contact = dict[str, Any]  # name, email, phone, address; what is empty is left out, so that two compare


def contact_of(customer: dict[str, Any]) -> Contact:
    """Read the name, email, phone and address of a Customer, an event's snapshot too."""
    return _without_empty(
        {
            "name": _text(customer.get("name")),
            "email": _text(customer.get("email")),
            "phone": _text(customer.get("phone")),
            "address": _address(customer.get("address")),
        }
    )


def collected_of(session: dict[str, Any]) -> Contact:
    """Read the phone, address and tax ids that a finished Checkout Session asked for.

    Stripe keeps them on the session; on the customer only as far as `customer_update` says so. The name is
    left out: it is the cardholder's. Source: https://docs.stripe.com/api/checkout/sessions/object
    """
    details = session.get("customer_details")
    if session.get("status") != "complete" or not isinstance(details, dict):
        return {}
    tax_ids = details.get("tax_ids")
    return _without_empty(
        {
            "phone": _text(details.get("phone")),
            "address": _address(details.get("address")),
            "tax_ids": list(filter(None, map(_tax_id, tax_ids))) if isinstance(tax_ids, list) else [],
        }
    )


def _address(value: Any) -> dict[str, str]:
    given = value if isinstance(value, dict) else {}
    parts = _without_empty({name: _text(given.get(field)) for field, name in ADDRESS_PARTS.items()})
    if not re.fullmatch(r"[A-Z]{2}", parts.get("country", "")):
        parts.pop("country", None)
    return parts


def _tax_id(value: Any) -> str | None:
    given = value if isinstance(value, dict) else {}
    kind, number = _text(given.get("type")), _text(given.get("value"))
    return TaxNumber(kind, number).text if number else None


def _text(value: Any) -> str | None:
    """A text without characters that no database takes; anything but a text counts as missing."""
    if not isinstance(value, str):
        return None
    return value.replace("\x00", "").encode(errors="replace").decode()[:MAX_PART_LENGTH] or None


def _without_empty(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
