"""The options of a Checkout Session, and their names in Stripe's current API."""

from dataclasses import asdict, field
from typing import Any

from app.core.values import frozen

# OpenMeter's and older Stripe words, and what Stripe calls them since 2026-03-25.dahlia
UI_MODES = {"hosted": "hosted_page", "embedded": "embedded_page"}


@frozen(kw_only=True)
class CheckoutSessionOptions:
    """How a Checkout Session in setup mode looks and where it leads. None means Stripe's default.

    Nested dictionaries are in Stripe's words. Source: https://docs.stripe.com/api/checkout/sessions/create
    """

    currency: str  # ISO 4217; setup mode needs one to choose the methods it offers
    success_url: str | None = None
    cancel_url: str | None = None
    return_url: str | None = None
    ui_mode: str | None = None  # hosted or embedded
    payment_method_types: tuple[str, ...] = ()  # a filter; methods that don't fit are left out by Stripe
    billing_address_collection: str | None = None
    client_reference_id: str | None = None
    customer_update: dict[str, str] | None = None
    consent_collection: dict[str, Any] | None = None
    custom_text: dict[str, Any] | None = None
    expires_at: int | None = None  # seconds since 1970, 30 minutes to 24 hours ahead
    locale: str | None = None
    phone_number_collection: dict[str, Any] | None = None
    redirect_on_completion: str | None = None
    tax_id_collection: dict[str, Any] | None = None
    metadata: dict[str, str] = field(default_factory=dict)

    def params(self) -> dict[str, Any]:
        """The options as Stripe's parameters. Those that were not given are None."""
        given = asdict(self)
        del given["metadata"]  # ours is added to it
        given["currency"] = self.currency.lower()
        given["ui_mode"] = UI_MODES.get(self.ui_mode or "")
        # `payment_method_types` itself is refused since 2026-09-30.endive.
        given["allowed_payment_method_types"] = list(given.pop("payment_method_types")) or None
        return given
