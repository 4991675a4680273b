"""Checkout sessions on the wire."""

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator, model_validator

from app.api.wire import Instant, Ulid, WireModel
from app.checkout.actions import Started
from app.customers.schemas import CurrencyCode, CustomerCreate, Metadata
from app.gateway import CheckoutSessionOptions
from app.web.addresses.redirects import RedirectUrl

RESERVED = ("om_namespace", "om_app_id", "om_customer_id")
STRIPE_METADATA_LIMIT = 50  # https://docs.stripe.com/metadata
METADATA_LIMIT = STRIPE_METADATA_LIMIT - len(RESERVED)
Message = Annotated[str, StringConstraints(max_length=1200)]
Seconds = Annotated[int, Field(ge=0, lt=2**63)]


class CustomerId(WireModel):
    """An existing customer by its id."""

    id: Ulid


class CustomerKey(WireModel):
    """An existing customer by its key."""

    key: Annotated[str, StringConstraints(min_length=1)]


def _variant(value: Any) -> str:
    """Which of the three ways to name a customer is meant: a name makes it a new one, then id, then key."""
    if not isinstance(value, dict):
        return "CustomerCreate"
    sent = {str(name).casefold() for name, item in value.items() if item not in (None, "")}
    if "name" in sent:
        return "CustomerCreate"
    if "id" in sent:
        return "CustomerId"
    return "CustomerKey" if "key" in {str(name).casefold() for name in value} else "CustomerCreate"


CustomerChoice = Annotated[
    Annotated[CustomerCreate, Tag("CustomerCreate")]
    | Annotated[CustomerId, Tag("CustomerId")]
    | Annotated[CustomerKey, Tag("CustomerKey")],
    Discriminator(_variant),
]


class CustomerUpdate(WireModel):
    """What Checkout may write back to the Stripe customer."""

    address: Literal["auto", "never"] | None = None
    name: Literal["auto", "never"] | None = None
    shipping: Literal["auto", "never"] | None = None


class PaymentMethodReuseAgreement(WireModel):
    """Where Stripe's own reuse terms stand."""

    position: Literal["auto", "hidden"] | None = None


class ConsentCollection(WireModel):
    """What the payer is asked to agree to."""

    payment_method_reuse_agreement: PaymentMethodReuseAgreement | None = None
    promotions: Literal["auto", "none"] | None = None
    terms_of_service: Literal["none", "required"] | None = None


class CustomTextParams(WireModel):
    """A text of your own on Stripe's page."""

    message: Message | None = None


class CustomText(WireModel):
    """Texts of your own on Stripe's page."""

    after_submit: CustomTextParams | None = None
    shipping_address: CustomTextParams | None = None
    submit: CustomTextParams | None = None
    terms_of_service_acceptance: CustomTextParams | None = None


class TaxIdCollection(WireModel):
    """Whether Stripe asks for a tax id."""

    enabled: bool
    required: Literal["if_supported", "never"] | None = None

    @field_validator("enabled", mode="before")
    @classmethod
    def _boolean(cls, value: Any) -> Any:
        if not isinstance(value, bool):
            raise ValueError("must be true or false")  # noqa: TRY004 (pydantic turns ValueErrors into its own)
        return value


class CheckoutOptions(WireModel):
    """How the session looks and where it leads."""

    success_url: RedirectUrl | None = Field(
        default=None,
        alias="successURL",
        description="Where the customer goes afterwards; our own page with the outcome if absent.",
        examples=["https://example.com/success"],
    )
    cancel_url: RedirectUrl | None = Field(default=None, alias="cancelURL")
    return_url: RedirectUrl | None = Field(
        default=None,
        alias="returnURL",
        description="The same for an embedded page.",
    )
    ui_mode: Literal["embedded", "hosted"] | None = None
    currency: CurrencyCode | None = None
    billing_address_collection: Literal["auto", "required"] | None = None
    client_reference_id: str | None = Field(default=None, alias="clientReferenceID")
    customer_update: CustomerUpdate | None = None
    consent_collection: ConsentCollection | None = None
    custom_text: CustomText | None = None
    expires_at: Seconds | None = Field(
        default=None, description="Seconds since 1970; 30 minutes to 24 hours ahead."
    )
    locale: str | None = None
    metadata: Metadata | None = Field(
        default=None,
        description=(
            f"{METADATA_LIMIT} entries at most: Stripe takes {STRIPE_METADATA_LIMIT}, and three are ours "
            f"({', '.join(RESERVED)})."
        ),
        json_schema_extra={"maxProperties": METADATA_LIMIT},
    )
    payment_method_types: list[str] | None = None
    redirect_on_completion: Literal["always", "if_required", "never"] | None = None
    tax_id_collection: TaxIdCollection | None = None

    @field_validator("expires_at", mode="before")
    @classmethod
    def _integer(cls, value: Any) -> Any:
        if isinstance(value, bool | str):
            raise ValueError("must be a whole number of seconds")  # noqa: TRY004
        return value

    @field_validator("metadata")
    @classmethod
    def _unreserved(cls, value: Metadata | None) -> Metadata | None:
        taken = [name for name in RESERVED if name in (value or {})]
        if taken:
            raise ValueError(f"{', '.join(taken)} is reserved")
        if len(value or {}) > METADATA_LIMIT:
            raise ValueError(
                f"has {METADATA_LIMIT} entries at most: Stripe takes {STRIPE_METADATA_LIMIT}, "
                "and three are ours"
            )
        return value

    @model_validator(mode="after")
    def _leads_somewhere(self) -> Self:
        if self.ui_mode == "embedded" and self.cancel_url is not None:
            raise ValueError("cancelURL is not allowed when uiMode is embedded")
        return self

    def checkout_options(self, currency: str, *, own_return: str) -> CheckoutSessionOptions:
        """Return the value that actions take, with our currency and return URL where none was given."""
        given = {name: value for name, value in self.model_dump(exclude_none=True).items() if value != {}}
        ours = {"currency": currency}
        if self.ui_mode != "embedded":
            ours["success_url"] = own_return
        elif self.redirect_on_completion != "never":
            ours["return_url"] = own_return
        return CheckoutSessionOptions(**ours | given)


class CreateStripeCheckoutSessionRequest(WireModel):
    """Who will pay, and how the session looks."""

    customer: CustomerChoice
    options: CheckoutOptions
    app_id: Ulid | None = Field(default=None, description="The installed app; the default one if absent.")
    stripe_customer_id: Annotated[str, StringConstraints(pattern="^cus_")] | None = Field(
        default=None, description="An existing Stripe customer to use."
    )


class CreateStripeCheckoutSessionResult(WireModel):
    """The session that was opened, and its customer."""

    customer_id: Ulid
    stripe_customer_id: str
    session_id: str
    setup_intent_id: str
    client_secret: str | None = None
    client_reference_id: str | None = None
    customer_email: str | None = None
    currency: str | None = None
    created_at: Instant
    expires_at: Instant | None = None
    metadata: Metadata | None = None
    status: str | None = None
    url: str | None = None
    mode: Literal["setup"] = "setup"
    cancel_url: str | None = Field(default=None, alias="cancelURL")
    success_url: str | None = Field(default=None, alias="successURL")
    return_url: str | None = Field(default=None, alias="returnURL")

    @classmethod
    def of(cls, started: Started) -> "CreateStripeCheckoutSessionResult":
        """Return the answer for a session, without our own marks in its metadata."""
        opened, payer = started.opened, started.payer
        assert opened is not None  # each call of the API asks Stripe
        said = asdict(opened) | {
            "currency": opened.currency.upper() if opened.currency else None,
            "metadata": {name: value for name, value in opened.metadata.items() if name not in RESERVED},
        }
        return cls(
            customer_id=payer.customer_id,
            stripe_customer_id=payer.stripe_customer_id,
            session_id=said.pop("id"),
            **said,
        )
