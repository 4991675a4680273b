"""What Stripe says, as plain frozen values: no SDK object leaves the gateway."""

from dataclasses import field, replace
from datetime import UTC, datetime
from typing import Any

from app.core.values import frozen
from app.gateway.values.billing_details import BillingDetails
from app.gateway.values.contacts import Contact, collected_of, contact_of

LAST_YEAR = 9000  # well before the calendar's last one, so that a span can be added to any time of Stripe's
LAST_INSTANT = datetime(LAST_YEAR, 1, 1, tzinfo=UTC).timestamp()


@frozen(kw_only=True)
class Account:
    """The account that an API key belongs to."""

    id: str  # acct_…
    name: str | None
    livemode: bool


@frozen(kw_only=True)
class OpenedSession:
    """A Checkout Session in setup mode, as Stripe opened it."""

    id: str  # cs_…
    setup_intent_id: str  # seti_…
    url: str | None  # with its fragment; an embedded session has none
    client_secret: str | None  # of an embedded session
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
    def of(cls, body: dict[str, Any]) -> "OpenedSession":
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


@frozen(kw_only=True)
class Method:
    """A saved payment method: what may be shown of it. Stripe knows dozens of types and adds more."""

    id: str  # pm_…
    type: str
    created_at: datetime  # in whole seconds; for one saved on a page, when its number was sent
    customer_id: str | None  # None once it is detached
    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    country: str | None = None
    bank_name: str | None = None
    email: str | None = None
    wallet: str | None = None
    fingerprint: str | None = None  # the same for every method made of one card or account
    display_name: str | None = None  # of a custom type: what its owner calls it
    handle: str | None = None  # how an account without digits and email is named, such as a cashtag

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Method":
        """Read a PaymentMethod. Source: https://docs.stripe.com/api/payment_methods/object"""
        own = fields(body.get(body["type"]))
        month, year = _number(own.get("exp_month"), 1, 12), _number(own.get("exp_year"), 1970, LAST_YEAR)
        brands = [brand for brand in (_text(own.get("display_brand")), _text(own.get("brand"))) if brand]
        return cls(
            id=body["id"],
            type=body["type"],
            created_at=instant(body["created"]),
            customer_id=_id(body.get("customer")),
            brand=next((brand for brand in brands if brand != "other"), None) or next(iter(brands), None),
            last4=_text(own.get("last4")),
            exp_month=month if year else None,
            exp_year=year if month else None,
            country=_text(own.get("country")),
            bank_name=_text(own.get("bank_name")),
            email=_text(own.get("email")) or _text(own.get("payer_email")),
            wallet=_text(fields(own.get("wallet")).get("type")),
            fingerprint=_text(own.get("fingerprint")),
            display_name=_text(own.get("display_name")),
            handle=next(filter(None, (_text(own.get(name)) for name in ("cashtag", "vpa", "pay_id"))), None),
        )


@frozen(kw_only=True)
class StripeCustomer:
    """A Stripe customer: is it still there, and which method is charged by default?"""

    id: str
    deleted: bool
    default_method: Method | None
    contact: Contact = field(default_factory=dict)

    @classmethod
    def of(cls, body: dict[str, Any]) -> "StripeCustomer":
        """Read a Customer with an expanded default payment method, or a deleted one."""
        default = (body.get("invoice_settings") or {}).get("default_payment_method")
        return cls(
            id=body["id"],
            deleted=bool(body.get("deleted")),
            default_method=Method.of(default) if isinstance(default, dict) else None,
            contact=contact_of(body),
        )

    def with_contact(
        self, *, name: str | None, email: str | None, details: BillingDetails | None = None
    ) -> "StripeCustomer":
        """Return what is true once Stripe has these; None leaves its own, an empty text clears it."""
        given = {part: value for part, value in (("name", name), ("email", email)) if value is not None}
        kept = (
            self.contact if details is None else {part: self.contact.get(part) for part in ("name", "email")}
        )
        told = kept | (details.contact() if details else {}) | given
        return replace(self, contact={part: value for part, value in told.items() if value})


@frozen(kw_only=True)
class Mandate:
    """The payer's permission to debit a bank account, and whether the bank goes along with it."""

    id: str  # mandate_…
    method_id: str  # pm_…
    status: str  # pending, active, inactive

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Mandate":
        """Read a Mandate. Source: https://docs.stripe.com/api/mandates/object"""
        return cls(id=body["id"], method_id=str(_id(body["payment_method"])), status=body["status"])


@frozen(kw_only=True)
class StripeSetup:
    """How far a SetupIntent has come, and why it last failed."""

    id: str
    status: str
    method: Method | None
    mandate: Mandate | None
    next_action: str | None
    verification_url: str | None  # Stripe's page to confirm a bank account
    error_code: str | None
    decline_code: str | None
    error_message: str | None

    @classmethod
    def of(cls, body: dict[str, Any]) -> "StripeSetup":
        """Read a SetupIntent; its payment method and its mandate count only when expanded."""
        error = fields(body.get("last_setup_error"))
        method, mandate = body.get("payment_method"), body.get("mandate")
        next_action = fields(body.get("next_action"))
        microdeposits = fields(next_action.get("verify_with_microdeposits"))
        return cls(
            id=body["id"],
            status=body["status"],
            method=Method.of(method) if isinstance(method, dict) else None,
            mandate=Mandate.of(mandate) if isinstance(mandate, dict) else None,
            next_action=_text(next_action.get("type")),
            verification_url=_text(microdeposits.get("hosted_verification_url")),
            error_code=_text(error.get("code")),
            decline_code=_text(error.get("decline_code")),
            error_message=_text(error.get("message")),
        )


@frozen(kw_only=True)
class StripeSession:
    """A Checkout Session with its SetupIntent and its customer, read in one call."""

    id: str
    status: str  # open, complete, expired
    created_at: datetime
    setup: StripeSetup
    customer: StripeCustomer
    collected: Contact = field(default_factory=dict)  # what the payer typed besides a payment method

    @classmethod
    def of(cls, body: dict[str, Any]) -> "StripeSession":
        """Read a Session with its SetupIntent and its customer expanded."""
        return cls(
            id=body["id"],
            status=body["status"],
            created_at=instant(body["created"]),
            setup=StripeSetup.of(body["setup_intent"]),
            customer=StripeCustomer.of(body["customer"]),
            collected=collected_of(body),
        )


@frozen(kw_only=True)
class PortalSession:
    """A short-lived page at Stripe where a customer manages its payment methods."""

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


@frozen(kw_only=True)
class Endpoint:
    """A webhook endpoint. Only its creation returns the secret."""

    id: str  # we_…
    url: str
    metadata: dict[str, str]
    enabled: bool
    events: tuple[str, ...]
    api_version: str | None  # None: the account's default one
    created_at: datetime
    secret: str | None = None  # whsec_…

    @classmethod
    def of(cls, body: dict[str, Any]) -> "Endpoint":
        """Read a WebhookEndpoint. Source: https://docs.stripe.com/api/webhook_endpoints/object"""
        return cls(
            id=body["id"],
            url=body["url"],
            metadata=body.get("metadata") or {},
            enabled=body["status"] == "enabled",
            events=tuple(body["enabled_events"]),
            api_version=body.get("api_version"),
            created_at=instant(body["created"]),
            secret=body.get("secret"),
        )


def _id(reference: Any) -> str | None:
    """The id behind a reference, expanded or not."""
    found = reference["id"] if isinstance(reference, dict) else reference
    return None if found is None else str(found)


def fields(value: Any) -> dict[str, Any]:
    """The fields of an object that may be missing, or be something else than an object."""
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str | None:
    """A text that we only show; anything else in its place counts as missing."""
    return value if isinstance(value, str) and value else None


def _number(value: Any, least: int, most: int) -> int | None:
    """A whole number in a range that a calendar and a database can hold; anything else counts as missing."""
    return value if type(value) is int and least <= value <= most else None


def instant(seconds: float) -> datetime:
    """Read one of Stripe's times: seconds since 1970, UTC. What no calendar holds is cut to what it holds."""
    if not 0 <= seconds <= LAST_INSTANT:
        return datetime.fromtimestamp(LAST_INSTANT if seconds > LAST_INSTANT else 0, UTC)
    return datetime.fromtimestamp(seconds, UTC)
