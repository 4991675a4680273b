"""The form in which a customer changes its own contact and tax data."""

from dataclasses import replace
from typing import Any

from wtforms import Field as WTField
from wtforms import HiddenField

from app import customers, portal
from app.core.reference.tax_ids import TaxNumber
from app.customers import Customer, InvoiceDetails, NewCustomer
from app.onboarding.form import details as form_details
from app.onboarding.form import fields as form_fields
from app.onboarding.form.contact import ContactForm

PARTS = ("name", "company", "email", "phone", "billing_address", "tax_id")  # of the portal's settings
UNSHOWN = {"csrf_token", "updated_at", *form_fields.ADDRESS}


class DetailsForm(ContactForm):
    """The details that the profile asks for, and those that are stored. Nobody changes a locked one.

    `may_change_email`: codes go to that address, so it decides who has access.
    """

    updated_at = HiddenField()  # of the customer when the form was drawn

    def __init__(self, customer: Customer, *, may_change_email: bool, **kwargs: Any) -> None:
        self.customer = customer
        held = form_details.values_of(customer) | {"updated_at": customer.updated_at.isoformat()}
        super().__init__(data=held, **kwargs)
        form_fields.offer_countries(self.country)
        country = held["country"]
        if country and country not in {choice[0] for choice in self.country.choices}:
            self.country.choices = [*self.country.choices, (country, country)]
        self._keep(changeable(customer, may_change_email=may_change_email))

    @property
    def drawn(self) -> list[WTField]:
        """The fields to show, in their order, without those of the address."""
        return [each for each in self if each.name not in UNSHOWN]

    def validate(self, extra_validators: Any = None) -> bool:
        """Check what was changed. A stored value may stay, even one that the form would refuse."""
        super().validate(extra_validators)
        for each in self:
            if each.data and each.data == each.object_data:
                each.errors = []
        return not any(each.errors for each in self)

    def tax_number(self) -> TaxNumber:
        """Read the tax id. One that is stored stays as it is. Raises ValidationError."""
        held = InvoiceDetails.of(self.customer.invoice_details)
        if held.tax_id and self.tax_id.data == held.tax_id:
            return TaxNumber(held.tax_id_type, held.tax_id)
        if self.country:
            return super().tax_number()
        country = (self.customer.billing_address or {}).get("country", "")  # it is locked
        return form_fields.check_tax_id(self.tax_id, country)

    def has_valid_tax_id(self) -> bool:
        """Does the tax id fit its country? One that is stored may stay without one."""
        return self.tax_id.data == self.tax_id.object_data or super().has_valid_tax_id()

    def wanted(self) -> NewCustomer:
        """Return the customer with what was typed in place of what is stored."""
        held = customers.details_of(self.customer)
        typed = super().wanted()
        name = typed.name or held.name
        typed = replace(typed, id=held.id, name=name, subject_keys=held.subject_keys)
        return form_details.merged(typed, held)

    def _keep(self, kept: set[str]) -> None:
        """Remove the other fields, and require what the profile requires."""
        for each in {*form_fields.ADDRESS, *PARTS} - {"billing_address"} - kept:
            del self[each]
        asked = _presence(self.customer)
        required = {"name", *(part for part in PARTS if asked[part] == "required")}
        inputs = {each for part in required for each in form_fields.INPUTS.get(part, (part,))}
        inputs -= {*form_fields.ADDRESS} - form_fields.REQUIRED_LINES
        for each in self:
            if each.name in inputs:
                form_fields.require(each)
            elif each.name in kept:
                form_fields.allow_blank(each)
        if self.company and self.name:
            self.ask_for_person()


def changeable(customer: Customer, *, may_change_email: bool) -> set[str]:
    """Return the inputs of what a customer may change."""
    held, asked = form_details.values_of(customer), _presence(customer)
    kept: set[str] = set()
    for part in PARTS:
        inputs = form_fields.INPUTS.get(part, (part,))
        is_there = any(held.get(each) for each in inputs if each != "country" or part != "tax_id")
        if asked[part] in {"required", "optional"} or (asked[part] == "hidden" and is_there):
            kept |= {*inputs}
    if asked["name"] == "hidden":
        kept.add("name")
    if not may_change_email:
        kept.discard("email")
    if asked["billing_address"] == "locked":
        kept.discard("country")
    if "name" not in kept:  # one of the two names is the customer's, so both may change, or none
        kept.discard("company")
    if asked["company"] == "locked" and held["company"]:
        kept.discard("name")
    return kept


def may_change_any(customer: Customer, *, may_change_email: bool) -> bool:
    """Does the profile let a customer change anything?"""
    return bool(changeable(customer, may_change_email=may_change_email))


def _presence(customer: Customer) -> dict[str, str]:
    """Return how the profile asks for each field. What a hand-over locked is locked here, too."""
    asked = {str(name): str(wish) for name, wish in portal.current_profile().form.fields.items()}
    return asked | dict.fromkeys(customer.locked or (), "locked")
