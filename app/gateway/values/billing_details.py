"""What a Stripe customer holds besides its name and email, as a sign-up form or an operator gives it."""

from typing import Any

from app.core.addresses import ADDRESS_PARTS
from app.core.reference.tax_ids import TaxNumber
from app.core.values import frozen
from app.gateway.values.contacts import Contact

MAX_PHONE_LENGTH = 20  # Stripe takes no longer one
MAX_NAME_LENGTH = 150  # of a business and of a person
PURCHASE_ORDER = "purchase_order"  # in the metadata


@frozen(kw_only=True)
class BillingDetails:
    """Phone, address, the names of company and person, a purchase order and a tax id."""

    phone: str | None = None
    address: dict[str, str] | None = None  # with the API's names
    company: str | None = None
    contact_name: str | None = None
    purchase_order: str | None = None
    tax_id: TaxNumber | None = None

    def params(self) -> dict[str, Any]:
        """Return Stripe's parameters of a customer. An empty text clears what Stripe has.

        The tax id has separate calls. Source: https://docs.stripe.com/api/customers/update
        """
        phone = self.phone if len(self.phone or "") <= MAX_PHONE_LENGTH else None
        return {
            "phone": phone or "",
            "address": self._address() or "",
            "business_name": (self.company or "")[:MAX_NAME_LENGTH],
            "individual_name": (self.contact_name or "")[:MAX_NAME_LENGTH],
            "metadata": {PURCHASE_ORDER: self.purchase_order or ""},
        }

    def new_params(self) -> dict[str, Any]:
        """Return the parameters for a new customer: only what there is."""
        given = self.params()
        order = {name: value for name, value in given.pop("metadata").items() if value}
        return {name: value for name, value in given.items() if value} | (
            {"metadata": order} if order else {}
        )

    def contact(self) -> Contact:
        """Return what Stripe says about phone and address once it has these details."""
        found = {"phone": self.params()["phone"], "address": self.address or {}}
        return {name: value for name, value in found.items() if value}

    def _address(self) -> dict[str, str]:
        held = self.address or {}
        return {field: held[name] for field, name in ADDRESS_PARTS.items() if held.get(name)}
