"""The fields of the sign-up form, the consent, and who may sign up."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator, model_validator

from app.core.config import Settings
from app.core.reference import currencies
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


RESERVED = {  # inputs of the form that are no questions of a company
    "name",
    "company",
    "email",
    "phone",
    "currency",
    "key",
    "subject_keys",
    "line1",
    "line2",
    "postal_code",
    "city",
    "state",
    "country",
    "tax_id",
    "purchase_order",
    "consent",
    "nonce",
    "handover",
    "email_asked",
    "csrf_token",
    "given",
    "cls",
    "language",
    "homepage",
    "keep_email",
    "add_subject_key",
}
QUESTION_PATTERN = r"^[a-z][a-z0-9_]{0,39}$"
MAX_CUSTOM_FIELDS = 20
MAX_CHOICES = 50


def question_name(value: str) -> str:
    """Return the name of a question. Raises ValueError for one that a question can't have."""
    if not re.match(QUESTION_PATTERN, value):
        raise ValueError("Use up to 40 lower-case letters, digits and underscores, a letter first.")
    if value in RESERVED:
        raise ValueError(f"The form already has a field {value}. Use another name.")
    return value


class CustomField(Section):
    """A question of the company. Its answer is stored in the customer's metadata."""

    name: Annotated[str, StringConstraints(pattern=QUESTION_PATTERN), AfterValidator(question_name)]
    kind: Literal["text", "choice", "checkbox"] = "text"
    label: Annotated[dict[str, Label], Field(min_length=1)]  # by language
    choices: Annotated[tuple[Label, ...], Field(max_length=MAX_CHOICES)] = ()  # as they are stored
    choice_labels: dict[str, dict[str, Label]] = Field(default_factory=dict)  # by choice, then by language
    presence: Presence = "optional"

    @model_validator(mode="after")
    def _has_choices(self) -> "CustomField":
        if self.kind == "choice" and not self.choices:
            raise ValueError(f"Name at least one choice for {self.name}.")
        return self

    def label_in(self, language: str) -> str:
        """Return the label in a language, else in the first one that it has."""
        return self.label.get(language) or next(iter(self.label.values()))

    def choice_in(self, choice: str, language: str) -> str:
        """Return what a reader is shown of a choice: its label in the language, else the choice."""
        return self.choice_labels.get(choice, {}).get(language, choice)


class Form(Section):
    """What the form asks for."""

    fields: dict[FieldName, Presence] = Field(default_factory=lambda: dict(DEFAULT_FIELDS))
    custom_fields: Annotated[tuple[CustomField, ...], Field(max_length=MAX_CUSTOM_FIELDS)] = ()
    currencies: tuple[str, ...] = ()  # empty: every currency that Stripe knows
    default_currency: str = Settings.model_fields["default_currency"].default
    # What the names of visitors look like, such as "customer-*"; `*` and `?` match other characters.
    subject_key_pattern: Annotated[str, StringConstraints(max_length=200)] | None = None
    subject_keys_from_handover_only: bool = False  # the reference, too

    @field_validator("fields")
    @classmethod
    def _every_field(cls, value: dict[FieldName, Presence]) -> dict[FieldName, Presence]:
        return {**DEFAULT_FIELDS, **value}

    @model_validator(mode="after")
    def _asks_who_it_is(self) -> "Form":
        if "required" not in {self.fields["name"], self.fields["company"]}:
            raise ValueError("Require the name, the company or both.")
        names = [each.name for each in self.custom_fields]
        if len(set(names)) < len(names):
            raise ValueError("Two questions have the same name.")
        return self

    @property
    def lets_visitors_choose_key(self) -> bool:
        """May somebody without a hand-over type the company's own reference of a customer?"""
        return self.fields["key"] in {"optional", "required"} and not self.subject_keys_from_handover_only

    @property
    def first_currency(self) -> str:
        """Return the currency that is chosen at first."""
        is_offered = not self.currencies or self.default_currency in self.currencies
        return self.default_currency if is_offered else self.currencies[0]

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
