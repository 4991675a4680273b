"""Customers on the wire."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app.api.paging import PageQuery, PaginatedResponse
from app.api.wire import Instant, Ulid, WireModel
from app.core.db import new_id
from app.core.reference import currencies
from app.customers.details import NewCustomer
from app.customers.models import Customer as Row
from app.web.input.visible import is_visible

Metadata = dict[str, str]


def _iso_4217(code: str) -> str:
    if code not in currencies.ISO_4217:
        raise ValueError("must be the code of a currency, as ISO 4217 has it")
    return code


def _visible(name: str) -> str:
    if not is_visible(name):
        raise ValueError("must have a character that can be seen")
    return name


CurrencyCode = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_iso_4217), Field(examples=["USD"])
]
Key = Annotated[str, StringConstraints(min_length=1, max_length=256)]
MAX_SUBJECT_KEYS = 1000
MAX_EMAIL_LENGTH = 254  # https://www.rfc-editor.org/errata/eid1690
SubjectKey = Annotated[str, StringConstraints(min_length=1, max_length=256)]  # as wide as its column


class CustomerUsageAttribution(WireModel):
    """The names under which usage arrives."""

    subject_keys: list[SubjectKey] = Field(max_length=MAX_SUBJECT_KEYS, examples=[["my-usage-event-subject"]])


class Address(WireModel):
    """A billing address."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    postal_code: str | None = None
    state: str | None = None
    city: str | None = None
    line1: str | None = None
    line2: str | None = None
    phone_number: str | None = None


class CustomerCreate(WireModel):
    """What a customer is made of, or replaced with: what is left out is cleared.

    Give a key, at least one subject key, or both.
    """

    # The schema does not say that in its own words: generators make no type of an `anyOf` without types.
    nullable = frozenset({"metadata"})

    name: Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_visible)] = Field(
        examples=["ACME, Inc."]
    )
    key: Key | None = Field(
        default=None, description="Your own id for the customer.", examples=["my-database-id"]
    )
    usage_attribution: CustomerUsageAttribution | None = None
    description: Annotated[str, StringConstraints(max_length=1024)] | None = None
    primary_email: Annotated[str, StringConstraints(max_length=MAX_EMAIL_LENGTH)] | None = Field(
        default=None, description="Only its length is checked.", examples=["billing@acme.example"]
    )
    currency: CurrencyCode | None = Field(default=None, description="ISO 4217.")
    billing_address: Address | None = None
    metadata: Metadata | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.key and not self.subject_keys:
            raise ValueError("a customer needs a key or at least one subject key")
        return self

    @property
    def subject_keys(self) -> tuple[str, ...]:
        """The subject keys, none when there is no attribution."""
        return tuple(self.usage_attribution.subject_keys) if self.usage_attribution else ()

    def wanted(self, customer_id: str | None = None) -> NewCustomer:
        """The value that actions take."""
        return NewCustomer(
            id=customer_id or new_id(),
            name=self.name,
            key=self.key,
            subject_keys=self.subject_keys,
            primary_email=self.primary_email,
            currency=self.currency,
            description=self.description,
            billing_address=self.billing_address.answer() or None if self.billing_address else None,
            metadata=self.metadata or None,
        )


class Customer(WireModel):
    """A customer, as the API returns it."""

    id: Ulid
    name: str = Field(examples=["ACME, Inc."])
    key: str | None = Field(default=None, examples=["my-database-id"])
    usage_attribution: CustomerUsageAttribution | None = None
    description: str | None = None
    primary_email: str | None = None
    currency: str | None = Field(default=None, examples=["USD"])
    billing_address: Address | None = None
    metadata: Metadata | None = None
    created_at: Instant
    updated_at: Instant
    deleted_at: Instant | None = None

    @classmethod
    def of(cls, row: Row) -> "Customer":
        """The answer for a row; what is empty is left out."""
        keys = row.subject_keys
        return cls(
            id=row.id,
            name=row.name,
            key=row.key,
            # Not validated: an older release accepted more keys than a request may bring now.
            usage_attribution=CustomerUsageAttribution.model_construct(subject_keys=keys) if keys else None,
            description=row.description,
            primary_email=row.primary_email,
            currency=row.currency,
            billing_address=Address.model_validate(row.billing_address) if row.billing_address else None,
            metadata=row.extra or None,
            created_at=row.created_at,
            updated_at=row.updated_at,
            deleted_at=row.deleted_at,
        )


class CustomerPaginatedResponse(PaginatedResponse[Customer]):
    """One page of customers."""


Text = Annotated[str, StringConstraints(min_length=1)]
Expand = Literal["subscriptions"]


class CustomerListQuery(PageQuery):
    """Which customers, in which order, which page."""

    order_by: Literal["id", "name", "createdAt"] = "name"
    order: Literal["ASC", "DESC"] = "ASC"
    include_deleted: Literal["true", "false"] = "false"
    key: Text | None = Field(default=None, description="A part of the key, in any letter case.")
    name: Text | None = Field(default=None, description="A part of the name, in any letter case.")
    primary_email: Text | None = Field(default=None, description="A part of the address, in any letter case.")
    subject: Text | None = Field(default=None, description="A part of a subject key, in any letter case.")
    plan_key: Text | None = Field(default=None, description="There are no plans here, so nobody is on one.")
    expand: list[Expand] = Field(
        default_factory=list, description="Accepted; there are no subscriptions here."
    )


class CustomerGetQuery(WireModel):
    """What to show beside the customer."""

    expand: list[Expand] = Field(
        default_factory=list, description="Accepted; there are no subscriptions here."
    )
