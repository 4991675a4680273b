"""The details of a customer that Stripe's customer gets besides its name and email."""

from app import customers
from app.core.reference.tax_ids import TaxNumber
from app.gateway import BillingDetails


def billing_details(customer: customers.Customer) -> BillingDetails:
    """Return a customer's billing details in Stripe's form."""
    return details_from(customer.name, customer.billing_address, customer.invoice_details)


def details_from(
    name: str, billing_address: dict[str, str] | None, invoice_details: dict[str, str] | None
) -> BillingDetails:
    """Return the billing details that these column values amount to.

    A customer with a contact person is a company, so Stripe gets both names.
    """
    address = dict(billing_address or {})
    phone = address.pop(customers.PHONE, None)
    invoice = customers.InvoiceDetails.of(invoice_details)
    tax_id = None
    if invoice.tax_id and invoice.tax_id_type:
        tax_id = TaxNumber(invoice.tax_id_type, invoice.tax_id)
    return BillingDetails(
        phone=phone or None,
        address={line: text for line, text in address.items() if text} or None,
        company=name if invoice.contact_name else None,
        contact_name=invoice.contact_name,
        purchase_order=invoice.purchase_order,
        tax_id=tax_id,
    )
