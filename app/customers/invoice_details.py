"""What an invoice names besides the customer: a person, a tax id, a purchase order."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, kw_only=True)
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
