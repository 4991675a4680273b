"""Customers and payment methods as the store keeps them, and what belongs to whom."""

import copy
import hashlib
from datetime import UTC, datetime
from typing import Any

from app.simulator import cards, ids
from app.simulator.errors import StripeError, missing_resource
from app.simulator.fields import address
from app.simulator.shapes import JSON
from app.simulator.work import Work, previous

USED_UP = (
    "This PaymentMethod was previously used without being attached to a Customer or was detached from a "
    "Customer, and may not be used again."
)


def referenced(work: Work, customer: str | None, param: str = "customer") -> JSON | None:
    """The customer a parameter names, None for none; raises StripeError when gone or never there."""
    if customer is None:
        return None
    found = work.store.customers.find(customer, work.account)
    if found is None or found.get("deleted"):
        raise missing_resource("customer", customer, param)
    return found


def new_customer(work: Work) -> JSON:
    """A customer of whom nothing is known yet; the caller fills it in and keeps it."""
    return {
        "id": ids.customer(),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": work.now,
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": ids.random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }


def usable(work: Work, name: str, param: str) -> JSON:
    """The payment method a parameter names; pm_card_… names make a new one. Raises StripeError."""
    card = cards.named(name) if name.startswith("pm_card_") else None
    if card is not None:
        return keep_card(work, card, *next_year(work))
    found = work.store.payment_methods.find(name, work.account)
    if found is None:
        raise missing_resource("PaymentMethod", name, param)
    if work.note(name).get("used_up"):
        raise StripeError(USED_UP, param=param)
    return found


def keep_card(
    work: Work,
    card: cards.Card,
    month: int,
    year: int,
    *,
    billing: JSON | None = None,
    redisplay: str = "unspecified",
    metadata: JSON | None = None,
) -> JSON:
    """Write down a card as Stripe shows it: brand, last four digits, expiry, a fingerprint; no number."""
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
    work.remark(method["id"], test_card=card.names[0])
    return method


def keep_debit(
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
    """Write down a bank account: its last four digits, its bank, and a fingerprint."""
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
    """The test card a payment method stands for, None for a bank account."""
    name = work.note(method["id"]).get("test_card")
    return cards.named(f"pm_card_{name}") if name else None


def attach_to(work: Work, method: JSON, customer: str) -> JSON:
    """Attach to a customer; nothing happens when that is so already."""
    if method["customer"] == customer:
        return method
    attached = work.change(work.store.payment_methods, method, customer=customer)
    work.emit("payment_method.attached", attached)
    return attached


def detach_from(work: Work, method: JSON, *, forget_default: bool = True) -> JSON:
    """Detach for good, and clear a default that pointed here."""
    owner = work.store.customers[method["customer"]]
    detached = work.change(work.store.payment_methods, method, customer=None)
    work.remark(method["id"], used_up=True)
    work.emit("payment_method.detached", detached, {"customer": method["customer"]})
    if forget_default and owner["invoice_settings"]["default_payment_method"] == method["id"]:
        make_default(work, owner, None)
    return detached


def change_card(work: Work, method: JSON, *, by_network: bool, **details: object) -> JSON:
    """Write other details of a card; unless they differ nothing happened. The network asks nobody."""
    changed = copy.deepcopy(method)
    changed["card"] |= details
    if changed != method:
        work.keep(work.store.payment_methods, changed)
        kind = "automatically_updated" if by_network else "updated"
        work.emit(f"payment_method.{kind}", changed, previous(method, changed))
    return changed


def make_default(work: Work, customer: JSON, method: str | None) -> None:
    """Let this be what the customer is charged with from now on."""
    changed = copy.deepcopy(customer)
    changed["invoice_settings"]["default_payment_method"] = method
    work.keep(work.store.customers, changed)
    work.emit("customer.updated", changed, previous(customer, changed))


def refuse(decline: cards.Decline, **more: Any) -> StripeError:
    """A card error (402) that stays in the store."""
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
    return work.keep(work.store.payment_methods, method)


def billing_details(given: JSON, old: JSON | None = None) -> JSON:
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
    """The expiry of cards that are known by name: next year, this month."""
    today = datetime.fromtimestamp(work.now, UTC)
    return today.month, today.year + 1
