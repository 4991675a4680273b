"""Payment methods in the store: create, attach, detach, and make one the default."""

import copy
import hashlib
from datetime import UTC, datetime
from typing import Any

from app.simulator.protocol.errors import StripeError, missing_resource
from app.simulator.protocol.fields import address
from app.simulator.protocol.work import Work, previous_attributes
from app.simulator.resources import cards
from app.simulator.store import JSON

REUSE_REFUSED = (
    "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
    "Customer, and may not be used again."
)


def find_usable(work: Work, name: str, param: str) -> JSON:
    """Return the payment method with this id, or a new one for pm_card_…. Raises StripeError."""
    card = cards.find_by_name(name) if name.startswith("pm_card_") else None
    if card is not None:
        return create_card(work, card, *next_year(work))
    found = work.store.payment_methods.find(name, work.account)
    if found is None:
        raise missing_resource("PaymentMethod", name, param)
    if work.note(name).get("used_up"):
        raise StripeError(REUSE_REFUSED, param=param)
    return found


def create_card(
    work: Work,
    card: cards.Card,
    month: int,
    year: int,
    *,
    billing: JSON | None = None,
    redisplay: str = "unspecified",
    metadata: JSON | None = None,
) -> JSON:
    """Store a card as Stripe shows it, without its number."""
    details: JSON = {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": "pass" if _has_postal_code(billing) else None,
            "cvc_check": "fail" if card.decline is cards.CVC else "pass",
        },
        "country": "US",
        "display_brand": "american_express" if card.brand == "amex" else card.brand,
        "exp_month": month,
        "exp_year": year,
        "fingerprint": card.fingerprint,
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }
    method = _new(work, "card", details, billing=billing, redisplay=redisplay, metadata=metadata)
    work.add_note(method["id"], test_card=card.names[0])
    return method


def create_debit(
    work: Work,
    kind: str,
    number: str,
    routing: str,
    *,
    billing: JSON,
    redisplay: str,
    holder: str = "individual",
    account_type: str = "checking",
    metadata: JSON | None = None,
) -> JSON:
    """Store a bank account as Stripe shows it, with only the last digits of its number."""
    fingerprint = hashlib.sha256(f"{routing}/{number}".encode()).hexdigest()[:16]
    details: JSON = {"fingerprint": fingerprint, "last4": number[-4:]}
    if kind == "us_bank_account":
        details |= {
            "account_holder_type": holder,
            "account_type": account_type,
            "bank_name": "STRIPE TEST BANK",
            "financial_connections_account": None,
            "networks": {"preferred": "ach", "supported": ["ach"]},
            "routing_number": routing,
            "status_details": {},
        }
    elif kind == "sepa_debit":
        details |= {
            "bank_code": number[4:12],
            "branch_code": "",
            "country": number[:2],
            "generated_from": {"charge": None, "setup_attempt": None},
        }
    else:
        details["sort_code"] = routing
    return _new(work, kind, details, billing=billing, redisplay=redisplay, metadata=metadata)


def test_card(work: Work, method: JSON) -> cards.Card | None:
    """Return the test card behind a payment method, or None for a bank account."""
    name = work.note(method["id"]).get("test_card")
    return cards.find_by_name(f"pm_card_{name}") if name else None


def attach(work: Work, method: JSON, customer: str) -> JSON:
    """Attach to a customer, unless it is attached already."""
    if method["customer"] == customer:
        return method
    attached = work.change(work.store.payment_methods, method, customer=customer)
    work.emit("payment_method.attached", attached)
    return attached


def detach(work: Work, method: JSON, *, keep_default: bool = False) -> JSON:
    """Detach from the customer. If it was the default, clear the default."""
    owner = work.store.customers[method["customer"]]
    detached = work.change(work.store.payment_methods, method, customer=None)
    work.add_note(method["id"], used_up=True)
    work.emit("payment_method.detached", detached, {"customer": method["customer"]})
    if not keep_default and owner["invoice_settings"]["default_payment_method"] == method["id"]:
        make_default(work, owner, None)
    return detached


def change_card(work: Work, method: JSON, *, by_network: bool, **details: object) -> JSON:
    """Change the details of a card and emit the event. Without a change, do nothing."""
    changed = copy.deepcopy(method)
    changed["card"] |= details
    if changed != method:
        work.put(work.store.payment_methods, changed)
        kind = "automatically_updated" if by_network else "updated"
        work.emit(f"payment_method.{kind}", changed, previous_attributes(method, changed))
    return changed


def make_default(work: Work, customer: JSON, method: str | None) -> None:
    """Set or clear the customer's default payment method."""
    changed = copy.deepcopy(customer)
    changed["invoice_settings"]["default_payment_method"] = method
    work.put(work.store.customers, changed)
    work.emit("customer.updated", changed, previous_attributes(customer, changed))


def card_error(decline: cards.Decline, **more: Any) -> StripeError:
    """Return the 402 of a declined card. The attempt stays in the store."""
    return StripeError(
        decline.message,
        status=402,
        kind="card_error",
        code=decline.code,
        happened=True,
        decline_code=decline.decline_code,
        **more,
    )


def _new(
    work: Work,
    kind: str,
    details: JSON,
    *,
    billing: JSON | None,
    redisplay: str,
    metadata: JSON | None,
) -> JSON:
    method: JSON = {
        "id": work.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": redisplay,
        "billing_details": billing or billing_details({}),
        "created": work.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": metadata or {},
        "type": kind,
        kind: details,
    }
    return work.put(work.store.payment_methods, method)


def billing_details(given: JSON, old: JSON | None = None) -> JSON:
    """Return the billing details after an update, with all their fields."""
    names = ("address", "email", "name", "phone", "tax_id")
    billing = dict(old) if old else dict.fromkeys(names)
    for name in names:
        if name in given:
            billing[name] = given[name] or None
    billing["address"] = address(billing["address"] or {})
    return billing


def _has_postal_code(billing: JSON | None) -> bool:
    return bool(billing and billing["address"]["postal_code"])


def next_year(work: Work) -> tuple[int, int]:
    """Return month and year of a date one year from now, the default expiry."""
    today = datetime.fromtimestamp(work.now, UTC)
    return today.month, today.year + 1
