"""What a form says of a customer, and how it goes together with what is stored."""

from dataclasses import asdict, replace
from typing import Any

from app import customers
from app.core.addresses import ADDRESS_PARTS
from app.customers import InvoiceDetails, NewCustomer

ADDRESS = ADDRESS_PARTS | {"phone": customers.PHONE}  # the form's names, and the API's
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


def _joined(held: dict[str, Any] | None, given: dict[str, Any] | None) -> dict[str, Any]:
    return {name: text for name, text in {**(held or {}), **(given or {})}.items() if text}
