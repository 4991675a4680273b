"""The fields of the sign-up form: those that every company may ask for, and its own questions."""

import re
from collections.abc import Iterable
from typing import Any

from wtforms import BooleanField, Field, SelectChoice, SelectField, StringField, TelField
from wtforms.validators import DataRequired, InputRequired, Optional, ValidationError

from app import portal
from app.core.reference import countries, tax_ids
from app.gateway import MAX_PHONE_LENGTH
from app.onboarding.form.subject_keys import SubjectKeysField
from app.web import languages
from app.web.input.forms import max_length, one_line, trimmed
from app.web.languages import gettext as _
from app.web.languages import lazy_gettext as lazy

ADDRESS = ("line1", "line2", "postal_code", "city", "state", "country")
ORDER_IN = {"ja": ("postal_code", "state", "city", "line1", "line2", "country")}  # elsewhere: as above
REQUIRED_LINES = {"line1", "city", "country"}  # not every country has postal codes and states
# The fields of the portal's settings, and the inputs of each.
INPUTS: dict[str, tuple[str, ...]] = {"billing_address": ADDRESS, "tax_id": ("tax_id", "country")}
BEHIND_MORE = ("purchase_order", "key", "subject_keys")  # where they are optional
MAX_ORDER_LENGTH = 140
MAX_ANSWER_LENGTH = 500
REQUIRED = {  # what a field says that is left blank
    "name": lazy("Enter your company’s name or your own."),
    "company": lazy("Enter your company’s name."),
    "email": lazy("Enter your email address."),
    "phone": lazy("Enter a phone number."),
    "line1": lazy("Enter the street and number."),
    "city": lazy("Enter the city."),
    "country": lazy("Choose a country."),
    "currency": lazy("Choose a currency."),
    "tax_id": lazy("Enter the tax id."),
    "purchase_order": lazy("Enter the purchase-order number."),
    "key": lazy("Enter your reference."),
}


def text(label: Any, limit: int, kind: Any = StringField, *, also: Iterable[Any] = (), **render: Any) -> Any:
    """Return a field of one line, with more validators in `also`."""
    return kind(
        label,
        filters=[trimmed],
        validators=[max_length(limit), one_line, *also],
        render_kw={"maxlength": limit, **render},
    )


def phone() -> Any:
    """Return the field of a phone number."""
    return text(lazy("Phone"), MAX_PHONE_LENGTH, TelField, also=[_phone_number], autocomplete="tel")


def country() -> Any:
    """Return the field of a country. `offer_countries` gives it its choices."""
    return SelectField(lazy("Country"), default="", render_kw={"autocomplete": "billing country"})


def offer_countries(field: Field) -> None:
    """Let a field offer every country, by its name in the reader's language."""
    named = countries.choices(str(languages.current()))
    field.choices = [("", _("Choose a country")), *named]


def questions(asked: Iterable[portal.CustomField]) -> list[tuple[str, Any]]:
    """Return the fields of a company's own questions, in the reader's language, each with its name."""
    return [(each.name, _question(each)) for each in asked]


def require(field: Field, message: Any = None) -> None:
    """Let a field be required."""
    said = message or REQUIRED.get(field.name) or lazy("Please answer this.")
    check = InputRequired if isinstance(field, SelectField) else DataRequired
    field.validators = [check(said), *field.validators]
    field.flags.required = True


def allow_blank(field: Field) -> None:
    """Let a field be left blank."""
    field.validators = [Optional(), *field.validators]


def fix(field: Field, value: Any) -> None:
    """Show a value that the browser can't change."""
    field.data = value
    lock(field, value)


def lock(field: Field, value: Any) -> None:
    """Show that the browser can't change a field that has this value."""
    field.flags.locked = True
    if isinstance(field, SelectField):
        field.choices = [each for each in field.choices if choice_value(each) == value]
    if isinstance(field, SubjectKeysField):
        field.pattern = None  # the company may use names that visitors may not


def check_tax_id(field: Field, country: str) -> tax_ids.TaxNumber:
    """Read a tax id of a country. Raises ValidationError with an example of that country."""
    try:
        return tax_ids.read(country, field.data)
    except tax_ids.InvalidTaxId as error:
        named = countries.name(country, str(languages.current()))
        raise ValidationError(
            _(
                "This can’t be a tax id of %(country)s. One looks like %(example)s.",
                country=named,
                example=error.example,
            )
        ) from error


def _question(asked: portal.CustomField) -> Any:
    language = str(languages.current())
    label = asked.label_in(language)
    if asked.kind == "checkbox":
        return BooleanField(label)
    if asked.kind == "choice":
        choices = [
            SelectChoice("", _("Please choose")),
            *(SelectChoice(each, asked.choice_in(each, language)) for each in asked.choices),
        ]
        return SelectField(label, default="", choices=choices)
    return text(label, MAX_ANSWER_LENGTH, autocomplete="off")


def choice_value(choice: Any) -> Any:
    """Return what a browser sends for a choice."""
    return choice.value if isinstance(choice, SelectChoice) else choice[0]


def _phone_number(_form: Any, field: Field) -> None:
    if not re.fullmatch(r"[+0-9 ()./-]+", field.data) or len(re.sub(r"[^0-9]", "", field.data)) < 5:
        raise ValidationError(_("Enter a phone number like +44 20 7946 0000."))
