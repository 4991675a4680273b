"""The fields of the sign-up form, the consent, and who may sign up."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator

from app.core import currencies
from app.core.config import Settings
from app.portal.sections.kinds import Label, Section

FieldName = Literal[
    "name",
    "company",
    "email",
    "phone",
    "currency",
    "key",
    "subject_keys",
    "billing_address",
    "tax_id",
    "purchase_order",
]
Presence = Literal["required", "optional", "hidden", "locked"]
DEFAULT_FIELDS: dict[FieldName, Presence] = {
    "name": "required",
    "company": "hidden",
    "email": "required",
    "phone": "hidden",
    "currency": "required",
    "key": "optional",
    "subject_keys": "optional",
    "billing_address": "hidden",
    "tax_id": "hidden",
    "purchase_order": "hidden",
}
SignUp = Literal["open", "links", "approval"]


class CustomField(Section):
    """A question of the company. Its answer is stored in the customer's metadata."""

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    kind: Literal["text", "choice", "checkbox"] = "text"
    label: dict[str, Label]  # by language
    choices: tuple[Label, ...] = ()
    presence: Presence = "optional"


class Form(Section):
    """What the form asks for."""

    fields: dict[FieldName, Presence] = Field(default_factory=lambda: dict(DEFAULT_FIELDS))
    custom_fields: tuple[CustomField, ...] = ()
    currencies: tuple[str, ...] = ()  # empty: every currency that Stripe knows
    default_currency: str = Settings.model_fields["default_currency"].default
    subject_key_pattern: str | None = None
    subject_keys_from_handover_only: bool = False

    @field_validator("fields")
    @classmethod
    def _every_field(cls, value: dict[FieldName, Presence]) -> dict[FieldName, Presence]:
        return {**DEFAULT_FIELDS, **value}

    @field_validator("currencies")
    @classmethod
    def _known_currencies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if code.upper() not in currencies.CODES:
                raise ValueError(f"{code} is not a currency that Stripe knows.")
        return tuple(dict.fromkeys(code.upper() for code in value))

    @field_validator("default_currency")
    @classmethod
    def _known_currency(cls, value: str) -> str:
        if value.upper() not in currencies.CODES:
            raise ValueError("Use the code of a currency that Stripe knows, such as USD.")
        return value.upper()


class Consent(Section):
    """How customers agree to the terms. The version is stored as evidence."""

    kind: Literal["none", "sentence", "checkbox"] = "sentence"
    version: Annotated[str, StringConstraints(max_length=40)] = "1"
