"""The details of a customer, and which of them were adopted from Stripe because we had none."""

from collections.abc import Mapping
from dataclasses import asdict, field
from dataclasses import replace as replace_fields
from typing import Any

from app.core.db import new_id
from app.core.reference.tax_ids import TaxNumber
from app.core.values import frozen
from app.customers.models import Customer

ADOPTABLE = ("primary_email", "address", "phone", "tax_id")
PHONE = "phoneNumber"


@frozen(kw_only=True)
class InvoiceDetails:
    """The details that OpenMeter's customers lack. Programs neither see nor change them."""

    contact_name: str | None = None  # the person, where the customer's name is a company's
    tax_id_type: str | None = None  # Stripe's word, such as eu_vat; None where Stripe knows none
    tax_id: str | None = None
    purchase_order: str | None = None

    @classmethod
    def of(cls, stored: dict[str, str] | None) -> "InvoiceDetails":
        """Read a stored value."""
        return cls(**(stored or {}))

    def stored(self) -> dict[str, str] | None:
        """Return the value to store; None when there is nothing."""
        return {name: value for name, value in asdict(self).items() if value} or None

    @property
    def tax_text(self) -> str | None:
        """The tax id with its type, as one text."""
        return TaxNumber(self.tax_id_type, self.tax_id).text if self.tax_id else None

    def with_tax_text(self, text: str | None) -> "InvoiceDetails":
        """Return the same with another tax id."""
        number = TaxNumber.of(text) if text else TaxNumber(None, "")
        return replace_fields(self, tax_id_type=number.type, tax_id=number.value or None)


@frozen(kw_only=True)
class NewCustomer:
    """The details of a customer to create. The id is chosen first, so that a repeat has the same one."""

    id: str = field(default_factory=new_id)
    name: str
    key: str | None = None
    subject_keys: tuple[str, ...] = ()
    primary_email: str | None = None
    currency: str | None = None
    description: str | None = None
    billing_address: dict[str, str] | None = (
        None  # country, postalCode, state, city, line1, line2, phoneNumber
    )
    metadata: dict[str, str] | None = None
    invoice_details: InvoiceDetails | None = None  # None: nothing is said, so a customer keeps its own

    def part(self, name: str) -> Any:
        """Return the name, or the part of that name in ADOPTABLE; empty if nothing is said."""
        address = self.billing_address or {}
        if name == "tax_id":
            return self.invoice_details.tax_text if self.invoice_details else None
        if name == "phone":
            return address.get(PHONE) or None
        if name == "address":
            return {line: text for line, text in address.items() if line != PHONE and text} or None
        return getattr(self, name) or None

    def with_parts(self, parts: Mapping[str, Any]) -> "NewCustomer":
        """Return the same with other values of such parts."""
        plain = {name: value for name, value in parts.items() if name not in {"address", "phone", "tax_id"}}
        if "tax_id" in parts:
            invoice = self.invoice_details or InvoiceDetails()
            plain["invoice_details"] = invoice.with_tax_text(parts["tax_id"])
        if {"address", "phone"} & set(parts):
            address = dict(parts.get("address", self.part("address")) or {})
            phone = parts.get("phone", self.part("phone"))
            plain["billing_address"] = address | ({PHONE: phone} if phone else {}) or None
        return replace_fields(self, **plain)


def details_of(customer: Customer) -> NewCustomer:
    """A customer's own details, as they would be wanted."""
    return NewCustomer(
        id=customer.id,
        name=customer.name,
        key=customer.key,
        subject_keys=tuple(customer.subject_keys),
        primary_email=customer.primary_email,
        currency=customer.currency,
        description=customer.description,
        billing_address=customer.billing_address,
        metadata=customer.extra,
        invoice_details=InvoiceDetails.of(customer.invoice_details),
    )


def with_adopted(customer: Customer, wanted: NewCustomer) -> NewCustomer:
    """Return the wanted details. Where they are empty, keep the values that a customer has from Stripe.

    A program that never knew an email neither disagrees with the one that Stripe collected nor removes it.
    """
    held = details_of(customer)
    adopted = set(customer.adopted or ())
    if wanted.invoice_details is None:  # no tax id was given, so the customer keeps its own
        adopted.discard("tax_id")
    return wanted.with_parts({name: held.part(name) for name in adopted if wanted.part(name) is None})
