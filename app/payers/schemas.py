"""What Stripe knows about a customer, on the wire."""

from dataclasses import asdict
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app import apps
from app.api.paging import PageQuery, PaginatedResponse
from app.api.wire import Instant, Ulid, WireModel
from app.customers.schemas import Customer, CustomerCreate
from app.gateway import PortalSession
from app.payers.models import Payer
from app.web.addresses.redirects import RedirectUrl

CustomerBody = CustomerCreate  # of a customer's new details, which may concern Stripe, too
CustomerAnswer = Customer
NotEmpty = Annotated[str, StringConstraints(min_length=1)]


class StripeCustomerAppDataBase(WireModel):
    """Which Stripe customer it is, and which of its payment methods is to be charged."""

    stripe_customer_id: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        examples=["cus_NffrFeUfNV2Hib"]
    )
    stripe_default_payment_method_id: (
        Annotated[str, StringConstraints(pattern="^pm_", max_length=255)] | None
    ) = Field(
        default=None,
        description=(
            "It becomes the default at Stripe, too. Left out, what was asked for here before is taken back; "
            "a default that came about otherwise stays."
        ),
    )


class StripeCustomerAppDataCreateOrUpdateItem(StripeCustomerAppDataBase):
    """The same in one app."""

    type: Literal["stripe"]
    id: Ulid | None = Field(default=None, description="The installed app; the default one if absent.")


class StripeCustomerAppData(WireModel):
    """The Stripe customer of a customer in one app."""

    id: Ulid
    type: Literal["stripe"] = "stripe"
    stripe_customer_id: str
    stripe_default_payment_method_id: str | None = None
    app: apps.StripeApp

    @classmethod
    def of(cls, payer: Payer) -> "StripeCustomerAppData":
        """Return the answer for a row."""
        return cls(
            id=payer.app_id,
            stripe_customer_id=payer.stripe_customer_id,
            stripe_default_payment_method_id=payer.default_method.id if payer.default_method else None,
            app=apps.StripeApp.of(payer.app),
        )


class CustomerAppDataPaginatedResponse(PaginatedResponse[StripeCustomerAppData]):
    """One page of what the apps know about a customer."""


class CustomerAppDataListQuery(PageQuery):
    """The kind of app, and the page."""

    type: apps.AppType | None = None


class CreateStripeCustomerPortalSessionParams(WireModel):
    """How Stripe's customer portal is to be opened."""

    configuration_id: NotEmpty | None = Field(
        default=None, description="One of the account's (bpc_…); its default one if absent."
    )
    locale: NotEmpty | None = Field(default=None, examples=["de"])
    return_url: RedirectUrl | None = Field(default=None, examples=["https://example.com/account"])


class StripeCustomerPortalSession(WireModel):
    """Stripe's customer portal, opened. What Stripe gave no value is an empty text."""

    id: str
    stripe_customer_id: str
    configuration_id: str
    livemode: bool
    created_at: Instant
    return_url: str
    locale: str
    url: str

    @classmethod
    def of(cls, opened: PortalSession) -> "StripeCustomerPortalSession":
        """Return the answer for a session."""
        said = asdict(opened) | {"return_url": opened.return_url or "", "locale": opened.locale or ""}
        return cls(stripe_customer_id=said.pop("customer_id"), **said)
