"""The form of a customer: its fields, limits and messages."""

from collections.abc import Callable, Mapping
from typing import Any

from flask_wtf import FlaskForm
from wtforms import EmailField, Field, HiddenField, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Email, ValidationError

from app.core.addresses import ADDRESS_PARTS
from app.core.db import is_id, new_id
from app.core.reference import countries, currencies, tax_ids
from app.customers import PHONE, Customer, InvoiceDetails, NewCustomer
from app.web.input.forms import max_length, no_hidden, one_line, trimmed
from app.web.input.visible import has_control_characters, hidden_character

MAX_NAME_LENGTH = 256
MAX_SUBJECT_KEYS = 100
ADDRESS = ADDRESS_PARTS | {"phone_number": PHONE}  # the fields of an address, with the API's names
LABELS = {  # the fields of a customer, as pages name them
    "name": "Name",
    "key": "Key",
    "subject_keys": "Usage subject keys",
    "primary_email": "Email address",
    "currency": "Currency",
    "description": "Description",
    "billing_address": "Billing address",
    "invoice_details": "Invoice details",
    "metadata": "Metadata",
}

Validator = Callable[[Any, Field], None]


def with_unix_lines(value: str | None) -> str | None:
    """Use one kind of line end: browsers send another than programs do."""
    return value.replace("\r\n", "\n").replace("\r", "\n").strip() if value else value


def lines(text: str | None) -> list[str]:
    """The trimmed, non-empty lines of a text."""
    return [line.strip() for line in (text or "").split("\n") if line.strip()]


def printable_lines(_form: Any, field: Field) -> None:
    """Refuse control characters in several lines."""
    if has_control_characters((field.data or "").replace("\n", "")):
        raise ValidationError("This has characters that can’t be used. Please retype it.")


def _address_line(label: str) -> StringField:
    return StringField(
        label,
        filters=[trimmed],
        validators=[max_length(500), one_line],
        render_kw={"maxlength": 500},
    )


class CustomerForm(FlaskForm):
    """The form of a customer. A stored value may stay, even one that the form would refuse."""

    name = StringField(
        "Name",
        filters=[trimmed],
        validators=[DataRequired("Enter a name."), max_length(MAX_NAME_LENGTH), one_line],
        render_kw={"maxlength": MAX_NAME_LENGTH},
    )
    key = StringField(
        "Key",
        description="Your own id for this customer, such as its number in your database.",
        filters=[trimmed],
        validators=[max_length(MAX_NAME_LENGTH), one_line],
        render_kw={"maxlength": MAX_NAME_LENGTH, "spellcheck": "false"},
    )
    subject_keys = TextAreaField(
        "Usage subject keys",
        description="The names under which usage is reported, one per line.",
        filters=[with_unix_lines],
        validators=[printable_lines],
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    email = EmailField(
        "Email address",
        description="Stripe sends receipts to this address.",
        filters=[trimmed],
        render_kw={"maxlength": 254},
    )
    currency = SelectField("Currency", default="")
    description = TextAreaField(
        "Description",
        filters=[with_unix_lines],
        validators=[max_length(1024), printable_lines],
    )
    line1 = _address_line("Street and number")
    line2 = _address_line("Apartment, suite, etc.")
    postal_code = _address_line("Postal code")
    city = _address_line("City")
    state = _address_line("State or region")
    country = SelectField("Country", default="")
    phone_number = _address_line("Phone")
    contact_name = StringField(
        "Contact person",
        description="Stripe gets this name beside the company's.",
        filters=[trimmed],
        validators=[max_length(MAX_NAME_LENGTH), one_line],
        render_kw={"maxlength": MAX_NAME_LENGTH},
    )
    tax_id = StringField(
        "Tax id",
        description="Its kind follows from the country of the billing address.",
        filters=[trimmed],
        validators=[max_length(tax_ids.MAX_LENGTH), one_line],
        render_kw={"maxlength": tax_ids.MAX_LENGTH, "spellcheck": "false"},
    )
    purchase_order = StringField(
        "Purchase-order number",
        filters=[trimmed],
        validators=[max_length(MAX_NAME_LENGTH), one_line],
        render_kw={"maxlength": MAX_NAME_LENGTH, "spellcheck": "false"},
    )
    metadata = TextAreaField(
        "Metadata",
        description="Extra data for your programs: one “name: value” per line.",
        filters=[with_unix_lines],
        validators=[printable_lines],
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    customer_id = HiddenField()  # of a new customer: one form creates one customer
    updated_at = HiddenField()  # of the customer when the form was drawn

    def __init__(self, held: Customer | None = None, **kwargs: Any) -> None:
        self.held = held
        super().__init__(data=_data(held) if held else {"customer_id": new_id()}, **kwargs)
        self.currency.choices = with_current(currency_choices(), held.currency if held else None)
        self.country.choices = with_current(country_choices(), self.country.object_data)
        # Keep metadata that single lines can't express.
        self.keeps_metadata = held is not None and _read_metadata(_metadata(held.extra)) != (held.extra or {})
        if self.keeps_metadata:
            del self.metadata

    @property
    def address(self) -> dict[str, str]:
        """The entered address, with the API's names."""
        return {name: self[field].data for field, name in ADDRESS.items() if self[field].data}

    def validate(self, extra_validators: Mapping[str, Any] | None = None) -> bool:
        """Check each field, then the fields together."""
        is_right = bool(super().validate(extra_validators))
        if is_right and not self.key.data and not self.subject_keys.data:
            self.key.errors = ["Enter a key, or at least one usage subject key below."]
            return False
        return is_right

    def validate_email(self, field: Field) -> None:
        """Refuse an invalid address, unless a program has stored it already."""
        if field.data and not (self.held and field.data == self.held.primary_email):
            max_length(254)(self, field)
            Email("Enter an email address like name@example.com.")(self, field)

    def validate_key(self, field: Field) -> None:
        """Refuse a key with characters that nobody can see, unless it is stored already."""
        if not (self.held and field.data == self.held.key):
            no_hidden(self, field)

    def validate_subject_keys(self, field: Field) -> None:
        """Refuse too many keys, too long keys and duplicates."""
        keys = lines(field.data)
        if len(keys) > MAX_SUBJECT_KEYS and len(keys) > len(self.held.subjects if self.held else ()):
            raise ValidationError(f"Use {MAX_SUBJECT_KEYS} subject keys or fewer.")
        for key in keys:
            if len(key) > MAX_NAME_LENGTH:
                raise ValidationError(f"Use {MAX_NAME_LENGTH} characters or fewer for each subject key.")
            hidden = hidden_character(key)
            if hidden and key not in (self.held.subject_keys if self.held else ()):
                raise ValidationError(f"A subject key has a character that nobody can see ({hidden}).")
            if keys.count(key) > 1:
                raise ValidationError(f"You've entered “{key}” twice.")

    def validate_tax_id(self, _field: Field) -> None:
        """Refuse a number that the country has not, unless it is stored already."""
        try:
            self._tax_number()
        except tax_ids.InvalidTaxId as error:
            raise ValidationError(
                f"This can't be a tax id of {countries.name(self.country.data)}. "
                f"One looks like {error.example}."
            ) from error

    def validate_metadata(self, field: Field) -> None:
        """Refuse a line without a name, and duplicate names."""
        names = [line.partition(":")[0].strip() for line in lines(field.data) if ":" in line]
        if len(names) < len(lines(field.data)) or not all(names):
            raise ValidationError("Write each line as a name, a colon and a value.")
        if len(set(names)) < len(names):
            raise ValidationError("Use each name only once.")

    def validate_customer_id(self, field: Field) -> None:
        """Require an id that we made."""
        if not self.held and not is_id(field.data or ""):
            raise ValidationError("This form has expired. Please open it again.")

    def details(self) -> NewCustomer:
        """The entered customer."""
        kept = self.held.extra if self.held and self.keeps_metadata else None
        return NewCustomer(
            id=self.held.id if self.held else self.customer_id.data,
            name=self.name.data,
            key=self.key.data or None,
            subject_keys=tuple(lines(self.subject_keys.data)),
            primary_email=self.email.data or None,
            currency=self.currency.data or None,
            description=self.description.data or None,
            billing_address=self.address or None,
            invoice_details=self._invoice_details(),
            metadata=kept or (_read_metadata(self.metadata.data) if self.metadata else None) or None,
        )

    def _invoice_details(self) -> InvoiceDetails:
        try:
            number = self._tax_number()
        except tax_ids.InvalidTaxId:  # the form is shown again, with what was typed
            number = tax_ids.TaxNumber(None, self.tax_id.data)
        return InvoiceDetails(
            contact_name=self.contact_name.data or None,
            tax_id_type=number.type if number else None,
            tax_id=number.value if number else None,
            purchase_order=self.purchase_order.data or None,
        )

    def _tax_number(self) -> tax_ids.TaxNumber | None:
        """Read the tax id. One that is stored stays as it is, in whichever country."""
        stored = InvoiceDetails.of(self.held.invoice_details if self.held else None)
        if not self.tax_id.data:
            return None
        if stored.tax_id and self.tax_id.data == stored.tax_id:
            return tax_ids.TaxNumber(stored.tax_id_type, stored.tax_id)
        return tax_ids.read(self.country.data or "", self.tax_id.data)


def display_value(name: str, wanted: NewCustomer) -> str:
    """One field of a customer, as a page shows it."""
    value = getattr(wanted, name)
    if isinstance(value, InvoiceDetails):
        return ", ".join((value.stored() or {}).values())
    if isinstance(value, dict):
        return ", ".join(f"{label}: {text}" for label, text in value.items())
    return ", ".join(sorted(value)) if isinstance(value, tuple) else value or ""


def currency_choices() -> list[tuple[str, str]]:
    """Every currency, and "None"."""
    return [("", "None"), *currencies.choices()]


def country_choices() -> list[tuple[str, str]]:
    """Every country by name, and "None"."""
    return [("", "None"), *countries.choices()]


def with_current(choices: list[tuple[str, str]], held: str | None) -> list[tuple[str, str]]:
    """The choices, and the stored value if it is none of them."""
    return choices if not held or held in dict(choices) else [*choices, (held, held)]


def _data(customer: Customer) -> dict[str, Any]:
    address = customer.billing_address or {}
    return {
        "name": customer.name,
        "key": customer.key,
        "subject_keys": "\n".join(customer.subject_keys),
        "email": customer.primary_email,
        "currency": customer.currency or "",
        "description": customer.description,
        **{field: address.get(name, "") for field, name in ADDRESS.items()},
        **(customer.invoice_details or {}),
        "metadata": _metadata(customer.extra),
        "updated_at": customer.updated_at.isoformat(),
    }


def _metadata(metadata: dict[str, str] | None) -> str:
    return "\n".join(f"{name}: {value}" for name, value in (metadata or {}).items())


def _read_metadata(text: str | None) -> dict[str, str]:
    pairs = (line.partition(":") for line in lines(text))
    return {name.strip(): value.strip() for name, _, value in pairs}
