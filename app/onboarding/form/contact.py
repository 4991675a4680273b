"""How a customer can be reached, and its tax id: the fields that sign-up and billing page share."""

from typing import Any

from babel.support import NullTranslations
from flask_wtf import FlaskForm
from wtforms import EmailField
from wtforms import Field as WTField
from wtforms.validators import Email, ValidationError

from app.core.reference.tax_ids import TaxNumber
from app.customers import InvoiceDetails, NewCustomer
from app.onboarding.form import details as form_details
from app.onboarding.form import fields as form_fields
from app.onboarding.form.fields import text
from app.web import languages
from app.web.input.forms import max_length, trimmed
from app.web.languages import gettext as _
from app.web.languages import lazy_gettext as lazy
from app.web.languages.catalogues import load_wtforms


class ContactForm(FlaskForm):
    """Name, company, email, phone, address and tax id. A form removes the fields that it does not show."""

    class Meta(FlaskForm.Meta):
        """How WTForms works here."""

        def get_translations(self, _form: Any) -> NullTranslations:
            """Return WTForms' own sentences in the reader's language."""
            return load_wtforms(str(languages.current()))

    validate_on_submit = None  # else WTForms would check a question named "on_submit" with it

    name = text(lazy("Company or your name"), 256, autocomplete="organization")
    company = text(lazy("Company"), 256, autocomplete="organization")
    email = EmailField(
        lazy("Email address"),
        filters=[trimmed],
        validators=[
            max_length(254),
            Email(lazy("Enter an email address like name@example.com.")),
        ],
        render_kw={
            "autocomplete": "email",
            "inputmode": "email",
            "maxlength": 254,
            "autocapitalize": "none",
            "spellcheck": "false",
        },
    )
    phone = form_fields.phone()
    line1 = text(lazy("Street and number"), 256, autocomplete="billing address-line1")
    line2 = text(lazy("Apartment, suite, etc."), 256, autocomplete="billing address-line2")
    postal_code = text(lazy("Postal code"), 32, autocomplete="billing postal-code")
    city = text(lazy("City"), 256, autocomplete="billing address-level2")
    state = text(lazy("State or region"), 256, autocomplete="billing address-level1")
    country = form_fields.country()
    tax_id = text(lazy("Tax id"), 50, autocomplete="off", autocapitalize="none", spellcheck="false")

    @property
    def address(self) -> list[WTField]:
        """The fields of the billing address in the reader's order; the country alone for a tax id."""
        order = form_fields.ORDER_IN.get(str(languages.current()), form_fields.ADDRESS)
        return [self[line] for line in order if line in self and not self[line].flags.undrawn]

    def validate(self, extra_validators: Any = None) -> bool:
        """Check each field, then the tax id with its country."""
        is_right = bool(super().validate(extra_validators))
        if self.tax_id and self.tax_id.data and not self.tax_id.errors:
            is_right = self.has_valid_tax_id() and is_right
        return is_right

    def tax_number(self) -> TaxNumber:
        """Read the tax id. Raises ValidationError."""
        return form_fields.check_tax_id(self.tax_id, self.country.data if self.country else "")

    def said(self, name: str) -> str | None:
        """Return what was typed, "" for nothing, and None where nothing was asked."""
        return (self[name].data or "") if name in self else None

    def wanted(self) -> NewCustomer:
        """Return the details that were typed, which have no id yet.

        None says that the form did not ask. An empty text clears a detail.
        """
        name, company = self.said("name"), self.said("company")
        tax_id = self.tax_number() if self.tax_id and self.tax_id.data else TaxNumber("", "")
        address = {api: self.said(line) or "" for line, api in form_details.ADDRESS.items() if line in self}
        return NewCustomer(
            name=company or name or "",
            key=self.said("key"),
            primary_email=self.said("email"),
            billing_address=address or None,
            invoice_details=InvoiceDetails(
                contact_name=(name if company else "") if "company" in self else None,
                tax_id_type=(tax_id.type or "") if "tax_id" in self else None,
                tax_id=tax_id.value if "tax_id" in self else None,
                purchase_order=self.said("purchase_order"),
            ),
        )

    def ask_for_person(self) -> None:
        """Let the name be a person's, because the form also asks for a company."""
        self.name.label.text = _("Your name")
        if self.name.flags.required:
            form_fields.require(self.name, _("Enter your name."))
        self.name.render_kw = {**self.name.render_kw, "autocomplete": "name"}

    def has_valid_tax_id(self) -> bool:
        """Does the tax id fit its country? Otherwise a field says what is wrong."""
        if self.country and not self.country.data:
            self.country.errors = self.country.errors or [_("Choose the country of the tax id.")]
            return False
        try:
            self.tax_number()
        except ValidationError as error:
            self.tax_id.errors = [str(error)]
            return False
        return True
