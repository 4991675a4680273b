"""What a form says about a customer, and how that is merged with what is stored."""

from collections.abc import Collection
from dataclasses import asdict, replace
from typing import Any

from app import customers
from app.core.addresses import ADDRESS_PARTS
from app.customers import InvoiceDetails, NewCustomer

ADDRESS = ADDRESS_PARTS | {"phone": customers.PHONE}  # the form's names, and the API's
NAMES = frozenset({"name", "company"})
LOCKABLE = {"email": "primary_email", "currency": "currency", "key": "key"}
YES, NO = "yes", "no"  # the answers of a checkbox


def merged(wanted: NewCustomer, held: NewCustomer | None = None) -> NewCustomer:
    """Return the wanted details; where a form did not ask, what is held.

    In a form's details, None says that it did not ask. An empty text is an answer, and clears the detail.
    """
    plain: dict[str, Any] = {
        name: getattr(held, name) if getattr(wanted, name) is None and held else getattr(wanted, name) or None
        for name in ("key", "primary_email", "currency", "description")
    }
    invoice = None
    if wanted.invoice_details is not None:
        before = held.invoice_details if held else None
        given = {name: text for name, text in asdict(wanted.invoice_details).items() if text is not None}
        invoice = InvoiceDetails(**_joined(asdict(before) if before else None, given))
    return replace(
        wanted,
        **plain,
        billing_address=_joined(held.billing_address if held else None, wanted.billing_address) or None,
        metadata=_joined(held.metadata if held else None, wanted.metadata) or None,
        invoice_details=invoice,
    )


def without_locked(wanted: NewCustomer, held: NewCustomer, locked: Collection[str]) -> NewCustomer:
    """Return the details as if the form had not asked for the locked fields, which then stay as they are.

    One of the two names decides what the other one means, so a locked one keeps both.
    """
    if not locked:
        return wanted
    address, invoice = dict(wanted.billing_address or {}), wanted.invoice_details or InvoiceDetails()
    kept: dict[str, Any] = {LOCKABLE[name]: None for name in locked if name in LOCKABLE}
    if not NAMES.isdisjoint(locked):
        kept["name"], invoice = held.name, replace(invoice, contact_name=None)
    if "subject_keys" in locked:
        kept["subject_keys"] = held.subject_keys
    if "tax_id" in locked:
        invoice = replace(invoice, tax_id_type=None, tax_id=None)
    if "purchase_order" in locked:
        invoice = replace(invoice, purchase_order=None)
    for part in [part for part in address if _place_of(part) in locked]:
        del address[part]
    return replace(wanted, **kept, billing_address=address or None, invoice_details=invoice)


def locked_values(customer: customers.Customer) -> dict[str, Any]:
    """Return what a form shows of the details that a hand-over locked, by the names of its inputs."""
    locked = {*(customer.locked or ())}
    if not locked.isdisjoint(NAMES):
        locked |= NAMES
    values = values_of(customer)
    is_address_locked = "billing_address" in locked
    return {
        name: value
        for name, value in values.items()
        if name in locked or (is_address_locked and name in ADDRESS and name != "phone")
    }


def values_of(customer: customers.Customer) -> dict[str, Any]:
    """Return what a form shows of a customer, by the names of its fields."""
    invoice = InvoiceDetails.of(customer.invoice_details)
    address = customer.billing_address or {}
    answers: dict[str, Any] = {
        name: {YES: True, NO: False}.get(answer, answer) for name, answer in (customer.extra or {}).items()
    }
    return (
        answers
        | {field: address.get(name) for field, name in ADDRESS.items()}
        | {
            "name": invoice.contact_name or customer.name,
            "company": customer.name if invoice.contact_name else None,
            "email": customer.primary_email,
            "currency": customer.currency,
            "key": customer.key,
            "subject_keys": [key for key in customer.subject_keys if key != customer.id],
            "tax_id": invoice.tax_id,
            "purchase_order": invoice.purchase_order,
        }
    )


def _place_of(part: str) -> str:
    """Return the field of the portal's settings that a part of an address belongs to."""
    return "phone" if part == customers.PHONE else "billing_address"


def _joined(held: dict[str, Any] | None, given: dict[str, Any] | None) -> dict[str, Any]:
    return {name: text for name, text in {**(held or {}), **(given or {})}.items() if text}
