"""What Stripe says, as plain frozen values: no SDK object leaves the gateway."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account that an API key belongs to."""

    id: str  # acct_…
    name: str | None
    livemode: bool


@dataclass(frozen=True, kw_only=True)
class HostedSession:
    """A Checkout page that was opened in setup mode."""

    id: str  # cs_…
    setup_intent_id: str  # seti_…
    url: str | None  # whole, with its fragment; an embedded page has none
    client_secret: str | None  # of an embedded page
    status: str
    currency: str | None  # lower case
    customer_email: str | None
    client_reference_id: str | None
    success_url: str | None
    cancel_url: str | None
    return_url: str | None
    metadata: dict[str, str]
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, body: dict[str, Any]) -> "HostedSession":
        """Read a Session. Source: https://docs.stripe.com/api/checkout/sessions/object"""
        return cls(
            id=body["id"],
            setup_intent_id=str(_id(body["setup_intent"])),
            url=body.get("url"),
            client_secret=body.get("client_secret"),
            status=body["status"],
            currency=body.get("currency"),
            customer_email=body.get("customer_email") or (body.get("customer_details") or {}).get("email"),
            client_reference_id=body.get("client_reference_id"),
            success_url=body.get("success_url"),
            cancel_url=body.get("cancel_url"),
            return_url=body.get("return_url"),
            metadata=body.get("metadata") or {},
            created_at=instant(body["created"]),
            expires_at=instant(body["expires_at"]),
        )


@dataclass(frozen=True, kw_only=True)
class Method:
    """A saved payment method: what may be shown of it. Stripe knows dozens of types and adds more."""

    id: str  # pm_…
    type: str
    customer_id: str | None  # None once it is detached
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    country: str | None = None
    bank_name: str | None = None
    email: str | None = None
    wallet: str | None = None

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Method":
        """Read a PaymentMethod. Source: https://docs.stripe.com/api/payment_methods/object"""
        own = body.get(body["type"]) or {}
        return cls(
            id=body["id"],
            type=body["type"],
            customer_id=_id(body.get("customer")),
            brand=own.get("display_brand") or own.get("brand"),
            last4=own.get("last4"),
            exp_month=own.get("exp_month"),
            exp_year=own.get("exp_year"),
            country=own.get("country"),
            bank_name=own.get("bank_name"),
            email=own.get("email"),
            wallet=(own.get("wallet") or {}).get("type"),
        )


@dataclass(frozen=True, kw_only=True)
class CustomerFacts:
    """A Stripe customer: is it still there, and which method is charged by default?"""

    id: str
    deleted: bool
    default_method: Method | None

    @classmethod
    def of(cls, body: dict[str, Any]) -> "CustomerFacts":
        """Read a Customer whose default payment method was expanded, or a deleted one."""
        default = (body.get("invoice_settings") or {}).get("default_payment_method")
        return cls(
            id=body["id"],
            deleted=bool(body.get("deleted")),
            default_method=Method.of(default) if isinstance(default, dict) else None,
        )


@dataclass(frozen=True, kw_only=True)
class SetupFacts:
    """How far a SetupIntent has come, and why it last failed."""

    id: str
    status: str
    method: Method | None
    next_action: str | None
    error_code: str | None
    decline_code: str | None
    error_message: str | None

    @classmethod
    def of(cls, body: dict[str, Any]) -> "SetupFacts":
        """Read a SetupIntent; its payment method counts only when expanded."""
        error = body.get("last_setup_error") or {}
        method = body.get("payment_method")
        return cls(
            id=body["id"],
            status=body["status"],
            method=Method.of(method) if isinstance(method, dict) else None,
            next_action=(body.get("next_action") or {}).get("type"),
            error_code=error.get("code"),
            decline_code=error.get("decline_code"),
            error_message=error.get("message"),
        )


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    """A Checkout Session with its SetupIntent and its customer, read in one call."""

    id: str
    status: str  # open, complete, expired
    setup: SetupFacts
    customer: CustomerFacts


@dataclass(frozen=True, kw_only=True)
class PortalSession:
    """A page of Stripe's own on which a customer looks after its payment methods, for a short while."""

    id: str  # bps_…
    customer_id: str
    configuration_id: str  # bpc_…
    livemode: bool
    locale: str | None
    return_url: str | None
    url: str
    created_at: datetime

    @classmethod
    def of(cls, body: dict[str, Any]) -> "PortalSession":
        """Read a Session. Source: https://docs.stripe.com/api/customer_portal/sessions/object"""
        return cls(
            id=body["id"],
            customer_id=body["customer"],
            configuration_id=str(_id(body["configuration"])),
            livemode=body["livemode"],
            locale=body.get("locale"),
            return_url=body.get("return_url"),
            url=body["url"],
            created_at=instant(body["created"]),
        )


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A webhook endpoint. The secret is known only to whoever created it."""

    id: str  # we_…
    url: str
    metadata: dict[str, str]
    secret: str | None = None  # whsec_…


def _id(reference: Any) -> str | None:
    """The id behind a reference, expanded or not."""
    found = reference["id"] if isinstance(reference, dict) else reference
    return None if found is None else str(found)


def instant(seconds: int) -> datetime:
    """Stripe's times are whole seconds since 1970, UTC."""
    return datetime.fromtimestamp(seconds, UTC)
