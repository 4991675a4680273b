"""What a hand-over says about a customer, by a token or an API call, and how the form treats it."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from app import portal
from app.api.wire import WireModel
from app.core.addresses import is_email_address
from app.core.reference import currencies
from app.web.addresses.redirects import SHAPE, check_return_url
from app.web.input.visible import checked_line, hidden_character

MAX_SUBJECT_KEYS = 100
# What the company says about these names decides who is billed for what, so a browser never changes them.
ALWAYS_LOCKED = frozenset({"key", "subject_keys"})

FieldName = Literal[
    "name",
    "company",
    "email",
    "phone",
    "currency",
    "key",
    "subjectKeys",
    "billingAddress",
    "taxId",
    "purchaseOrder",
]


def _key(text: str) -> str:
    found = hidden_character(text)
    if found:
        raise ValueError(f"must not have a character that nobody can see ({found})")
    return text


def _email(text: str) -> str:
    if not is_email_address(text):
        raise ValueError("must be an email address")
    return text


def _offered(code: str) -> str:
    if code not in currencies.CODES:
        raise ValueError("must be the code of a currency that Stripe knows")
    return code


Line80 = Annotated[
    str,
    StringConstraints(min_length=1, max_length=80, strip_whitespace=True),
    AfterValidator(checked_line),
]
Line256 = Annotated[
    str,
    StringConstraints(min_length=1, max_length=256, strip_whitespace=True),
    AfterValidator(checked_line),
]
Key = Annotated[Line256, AfterValidator(_key)]
QuestionName = Annotated[str, AfterValidator(portal.question_name)]
Email = Annotated[str, StringConstraints(max_length=254, strip_whitespace=True), AfterValidator(_email)]
Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$"), AfterValidator(_offered)]
ReturnUrl = Annotated[
    str,
    StringConstraints(max_length=2000),
    AfterValidator(check_return_url),
    Field(json_schema_extra={"format": "uri", "pattern": SHAPE}),
]


class HandoverAddress(WireModel):
    """A billing address."""

    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    postal_code: Line256 | None = None
    state: Line256 | None = None
    city: Line256 | None = None
    line1: Line256 | None = None
    line2: Line256 | None = None


class Arrival(WireModel):
    """How a customer comes to the portal, and where they go afterwards: of a hand-over, and of a link."""

    profile: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")] | None = Field(
        default=None, description="A profile of the portal; the default one if absent."
    )
    return_url: ReturnUrl | None = Field(
        default=None,
        alias="returnURL",
        description="Where the customer goes after saving; on an allowed host if the profile lists any.",
        examples=["https://app.example.com/billing"],
    )
    return_label: Line80 | None = Field(
        default=None,
        description="The name of that place, for “Continue to …”; without it, the button says “Continue”.",
        examples=["Example App"],
    )


class HandoverDetails(Arrival):
    """Details of the customer, which of them are locked, and where the customer goes afterwards."""

    name: Line256 | None = Field(default=None, examples=["Ada Lovelace"])
    company: Line256 | None = Field(default=None, examples=["Analytical Engines Ltd"])
    email: Email | None = Field(default=None, examples=["ada@example.com"])
    phone: Line80 | None = Field(default=None, examples=["+44 20 7946 0000"])
    currency: Currency | None = Field(default=None, description="ISO 4217.", examples=["EUR"])
    key: Key | None = Field(
        default=None,
        description="Your own id for the customer. If a live customer has it, its billing page opens.",
        examples=["customer-42"],
    )
    subject_keys: Annotated[list[Key], Field(max_length=MAX_SUBJECT_KEYS)] | None = Field(
        default=None, description="The names under which usage arrives.", examples=[["meter-42"]]
    )
    billing_address: HandoverAddress | None = None
    tax_id: Line80 | None = Field(default=None, examples=["DE123456789"])
    purchase_order: Line80 | None = None
    custom_fields: dict[QuestionName, Line256] | None = Field(
        default=None, description="Answers to your own questions, by the name of the question."
    )
    locked: list[FieldName] = Field(
        default_factory=list,
        description="Fields that the browser can't change. `key` and `subjectKeys` always are.",
        examples=[["email"]],
    )
    language: Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{2,3}([_-][A-Za-z]{2,4})?$")] | None = (
        Field(default=None, examples=["de"])
    )
    single_use: bool = Field(
        default=False, description="Whether only one browser may use it. Opening the form does not use it up."
    )

    @model_validator(mode="after")
    def _locked_have_values(self) -> Self:
        empty = sorted(name for name in self.locked if not self.given(name))
        if empty:
            raise ValueError(f"locked fields need a value: {', '.join(empty)}")
        if len(set(self.subject_keys or ())) < len(self.subject_keys or ()):
            raise ValueError("a subject key is given twice")
        return self

    def given(self, wire_name: str) -> Any:
        """Return the value of a field by its name on the wire; None if it has none."""
        return getattr(self, FORM_NAMES[wire_name])

    @property
    def locked_fields(self) -> frozenset[str]:
        """The fields that the browser can't change, by their names on our form."""
        named = {FORM_NAMES[name] for name in self.locked}
        return frozenset(named | {name for name in ALWAYS_LOCKED if getattr(self, name)})


FORM_NAMES: dict[str, str] = {
    "name": "name",
    "company": "company",
    "email": "email",
    "phone": "phone",
    "currency": "currency",
    "key": "key",
    "subjectKeys": "subject_keys",
    "billingAddress": "billing_address",
    "taxId": "tax_id",
    "purchaseOrder": "purchase_order",
}
