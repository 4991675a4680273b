"""Apps and the marketplace on the wire."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter

from app.api.paging import PaginatedResponse
from app.api.parsing import validate
from app.api.wire import Instant, Ulid, WireModel
from app.apps.actions import Details
from app.apps.models import App as Row
from app.web.input.visible import checked_line

AppType = Literal["stripe", "sandbox", "custom_invoicing"]
AppCapabilityType = Literal[
    "reportUsage", "reportEvents", "calculateTax", "invoiceCustomers", "collectPayments"
]
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256),
    AfterValidator(checked_line),
    Field(examples=["Stripe"]),
]
NotEmpty = Annotated[str, StringConstraints(min_length=1)]
Secret = Annotated[
    str,
    StringConstraints(min_length=1),
    Field(examples=["sk_test_…"], json_schema_extra={"format": "password"}),
]


class AppCapability(WireModel):
    """One thing that an app of this kind does."""

    type: AppCapabilityType
    key: str
    name: str
    description: str


class MarketplaceListing(WireModel):
    """A kind of app that can be installed."""

    type: AppType
    name: str
    description: str
    capabilities: list[AppCapability]
    install_methods: list[Literal["with_oauth2", "with_api_key", "no_credentials_required"]]


LISTING = MarketplaceListing(
    type="stripe",
    name="Stripe",
    description="Stripe keeps your customers' payment methods and collects payments with them.",
    capabilities=[
        AppCapability(
            type="calculateTax",
            key="stripe_calculate_tax",
            name="Calculate Tax",
            description="Stripe Tax calculates the tax of an invoice.",
        ),
        AppCapability(
            type="invoiceCustomers",
            key="stripe_invoice_customer",
            name="Invoice Customers",
            description="Stripe sends invoices to customers.",
        ),
        AppCapability(
            type="collectPayments",
            key="stripe_collect_payment",
            name="Collect Payments",
            description="Stripe charges the default payment method of a customer.",
        ),
    ],
    install_methods=["with_api_key"],
)


class MarketplaceListingPaginatedResponse(PaginatedResponse[MarketplaceListing]):
    """One page of listings."""


class StripeApp(WireModel):
    """An installed Stripe account and mode."""

    id: Ulid
    type: Literal["stripe"] = "stripe"
    name: str
    description: str | None = None
    metadata: dict[str, str] | None = None
    status: Literal["ready", "unauthorized"] = Field(description="Does Stripe accept the API key?")
    listing: MarketplaceListing = LISTING
    stripe_account_id: str
    livemode: bool
    masked_api_key: str = Field(alias="maskedAPIKey")
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None = None

    @classmethod
    def of(cls, row: Row) -> "StripeApp":
        """The answer for a row; what is empty is left out."""
        return cls(
            id=row.id,
            name=row.name,
            description=row.description,
            metadata=row.extra or None,
            status="ready" if row.status == "ready" else "unauthorized",
            stripe_account_id=row.stripe_account_id,
            livemode=row.livemode,
            masked_api_key=row.masked_api_key,
            created_at=row.created_at,
            updated_at=row.updated_at,
            deleted_at=row.deleted_at,
        )


class AppPaginatedResponse(PaginatedResponse[StripeApp]):
    """One page of apps."""


class StripeAppReplaceUpdate(WireModel):
    """What an app is changed to: what is left out is cleared, but not the key."""

    nullable = frozenset({"metadata"})

    type: Literal["stripe"]
    name: Name
    description: Annotated[str, StringConstraints(max_length=1024)] | None = None
    metadata: dict[str, NotEmpty] | None = None
    secret_api_key: Secret | None = Field(
        default=None, alias="secretAPIKey", description="Another key of the same account and mode."
    )

    def details(self) -> Details:
        """The value that actions take."""
        return Details(
            name=self.name,
            description=self.description,
            metadata=self.metadata or None,
            api_key=self.secret_api_key,
        )


class StripeAPIKeyInput(WireModel):
    """Another key of the same account and mode."""

    secret_api_key: Secret = Field(alias="secretAPIKey")


class MarketplaceInstallRequestPayload(WireModel):
    """How an app is to be installed."""

    name: Name = LISTING.name
    create_billing_profile: bool = Field(
        default=True, description="Make it the default app, in place of any other."
    )


class MarketplaceAPIKeyInstallRequest(MarketplaceInstallRequestPayload):
    """How an app is to be installed, and with which key."""

    api_key: Secret


class MarketplaceInstallResponse(WireModel):
    """The installed app, and what it is the default for."""

    app: StripeApp
    default_for_capability_types: list[AppCapabilityType]

    @classmethod
    def of(cls, row: Row) -> "MarketplaceInstallResponse":
        """The answer for a row. The default app is the default for all that it can do."""
        capabilities = [capability.type for capability in LISTING.capabilities]
        return cls(app=StripeApp.of(row), default_for_capability_types=capabilities if row.is_default else [])


def read_app_id(text: str, name: str) -> str:
    """The id of an app in a path, as it is stored. Raises Invalid."""
    return str(validate(TypeAdapter(dict[str, Ulid]), {name: text})[name])


def read_app_type(text: str) -> AppType:
    """The kind of an app in a path. Raises Invalid."""
    kind: AppType = validate(TypeAdapter(dict[str, AppType]), {"type": text})["type"]
    return kind
