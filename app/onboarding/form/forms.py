"""The sign-up form: the fields that the profile asks for, and the customer that they make."""

from collections.abc import Collection
from dataclasses import field, replace
from datetime import datetime
from typing import Any

from itsdangerous import BadSignature
from wtforms import BooleanField, HiddenField, SelectField
from wtforms import Field as WTField
from wtforms.fields.core import UnboundField
from wtforms.form import BaseForm

from app import portal
from app.core.config import settings
from app.core.db import new_id
from app.core.reference import currencies
from app.core.values import frozen
from app.customers import Customer, NewCustomer
from app.onboarding import consents
from app.onboarding.form import details as form_details
from app.onboarding.form import fields as form_fields
from app.onboarding.form.contact import ContactForm
from app.onboarding.form.fields import text
from app.onboarding.form.subject_keys import MAX_KEY_LENGTH, MAX_SUBJECT_KEYS, SubjectKeysField
from app.web import languages
from app.web.input.forms import no_hidden
from app.web.input.options import CachedSelect
from app.web.input.signed import Serializer, serializer
from app.web.languages import lazy_gettext as lazy

FORM_AGE = 20 * 3600  # seconds
EARLIER = "earlier"  # in place of a hand-over: an earlier one locked details of the customer

__all__ = ["MAX_KEY_LENGTH", "MAX_SUBJECT_KEYS", "Form", "SignupForm"]


@frozen
class Form:
    """One form, in one tab: one form makes one customer, however often it is sent."""

    id: str = field(default_factory=new_id)
    made_at: datetime | None = None  # when a form that was sent had been drawn

    @property
    def nonce(self) -> str:
        """The form's id, signed."""
        return _signer().sign(self.id)

    @classmethod
    def of(cls, nonce: str | None) -> "Form | None":
        """Read a nonce; None when we did not sign it, or too long ago."""
        try:
            form_id, made_at = _signer().loads(nonce or "", max_age=FORM_AGE, return_timestamp=True)
        except BadSignature:
            return None
        return cls(form_id, made_at) if isinstance(form_id, str) else None


class SignupForm(ContactForm):
    """The details that a visitor enters, in the profile of the request.

    `given` names the fields that a hand-over fills in. They are there even where the profile hides them, so
    that their values are read like any other.
    """

    currency = SelectField(
        lazy("Currency"), widget=CachedSelect(), render_kw={"autocomplete": "transaction-currency"}
    )
    purchase_order = text(
        lazy("Purchase-order number"), form_fields.MAX_ORDER_LENGTH, autocomplete="off", spellcheck="false"
    )
    key = text(
        lazy("Your reference"),
        MAX_KEY_LENGTH,
        also=[no_hidden],
        autocomplete="off",
        autocapitalize="none",
        spellcheck="false",
    )
    subject_keys = SubjectKeysField(lazy("Account or device names"))
    consent = BooleanField(lazy("Consent"))
    nonce = HiddenField()
    handover = HiddenField()  # a signed hand-over, sealed again by us; or EARLIER
    email_asked = HiddenField()  # the address about which the visitor was asked whether it is right

    def __init__(self, *, given: Collection[str] = (), **kwargs: Any) -> None:
        self.profile = portal.current_profile()
        self.asked = self.profile.form
        super().__init__(**kwargs)
        self.currencies = self.asked.currencies or tuple(currencies.CODES)
        form_fields.offer_countries(self.country)
        self._offer_currencies()
        self._keep_asked(given)
        if not consents.is_checkbox(self.profile):
            del self.consent
        else:
            form_fields.require(self.consent, lazy("Please agree to the terms to continue."))

    def process(self, *args: Any, **kwargs: Any) -> None:
        """Read what was sent, the company's own questions too."""
        for name, unbound in form_fields.questions(self.asked.custom_fields):
            BaseForm.__setitem__(self, name, unbound)  # a Form takes new fields in its class alone
        super().process(*args, **kwargs)

    @classmethod
    def blank(cls, *, given: Collection[str] = (), **values: Any) -> "SignupForm":
        """A form for somebody new, which may begin with some values."""
        currency = portal.current_profile().form.first_currency
        return cls(given=given, data={"currency": currency, "nonce": Form().nonce} | values)

    @classmethod
    def showing(cls, customer: Customer, form: Form, *, has_agreed: bool) -> "SignupForm":
        """A form with the details that this browser gave already."""
        shown = cls(data=form_details.values_of(customer) | {"nonce": form.nonce, "consent": has_agreed})
        if shown.company and not shown.company.data and not shown.name:
            shown.company.data = customer.name
        shown.hold(customer)
        return shown

    def hold(self, customer: Customer) -> None:
        """Show what a hand-over locked as the customer has it."""
        for name, value in form_details.locked_values(customer).items():
            if name in self:
                form_fields.fix(self[name], value)
                self.handover.data = EARLIER

    @property
    def drawn(self) -> list[WTField]:
        """The fields to show in front, in their order."""
        hidden = {"consent", "nonce", "handover", "email_asked", "csrf_token", *form_fields.ADDRESS}
        return [each for each in self if each.name not in hidden and not self._is_apart(each)]

    @property
    def more(self) -> list[WTField]:
        """The optional fields behind "More details"."""
        return [self[name] for name in form_fields.BEHIND_MORE if name in self and self._is_more(self[name])]

    @property
    def is_more_open(self) -> bool:
        """Has one of the fields behind "More details" a value or an error?"""
        return any(
            bool(each.errors)
            or bool(getattr(each, "entry_errors", None))
            or (any(each.data) if isinstance(each.data, list) else bool(each.data))
            for each in self.more
        )

    def wanted(self) -> NewCustomer:
        """Return the details of the customer to create. Without subject keys, the id will serve as one."""
        return replace(
            super().wanted(),
            subject_keys=self.subject_keys.keys if self.subject_keys else (),
            currency=self.said("currency") or self.asked.first_currency,
            metadata=self._answers() or None,
        )

    def _answers(self) -> dict[str, str]:
        found = {}
        for each in self.asked.custom_fields:
            if each.name in self:
                data = self[each.name].data
                is_box = each.kind == "checkbox"
                found[each.name] = (form_details.YES if data else form_details.NO) if is_box else data or ""
        return found

    def _offer_currencies(self) -> None:
        offered = self.asked.currencies
        held = self.currency.data
        if held and offered and held not in offered and self.currency.object_data == held:
            offered = (*offered, held)  # of a customer from before
        self.currency.choices = currencies.named(str(languages.current()), offered)

    def _keep_asked(self, given: Collection[str]) -> None:
        """Remove the fields that nobody is asked for, and let the others be required, optional or locked."""
        own = {each.name: each.presence for each in self.asked.custom_fields}
        presence = own | {str(name): str(wish) for name, wish in self.asked.fields.items()}
        if self.asked.subject_keys_from_handover_only:
            presence |= dict.fromkeys(("key", "subject_keys"), "locked")
        if len(self.currencies) == 1:
            presence["currency"] = "hidden"
        wishes: dict[str, str] = {}
        for name, presented in presence.items():
            wish = presented
            if presented in {"hidden", "locked"}:
                wish = ("locked" if presented == "locked" else "undrawn") if name in given else "gone"
            for each in form_fields.INPUTS.get(name, (name,)):
                if wishes.get(each, "gone") == "gone":
                    wishes[each] = wish
        for name, wish in wishes.items():
            self._apply(name, wish)
        if self.company and self.name:
            self.ask_for_person()

    def _apply(self, name: str, wish: str) -> None:
        if wish == "gone":
            if isinstance(getattr(type(self), name, None), UnboundField):
                del self[name]
            else:  # a question: an attribute of that name may be the form's own
                del self._fields[name]
            return
        each = self[name]
        if name == "subject_keys":
            each.flags.required = wish == "required"
            each.pattern = None if wish in {"locked", "undrawn"} else self.asked.subject_key_pattern
        elif wish == "required" and (name not in form_fields.ADDRESS or name in form_fields.REQUIRED_LINES):
            form_fields.require(each)
        else:
            form_fields.allow_blank(each)
        if wish in {"locked", "undrawn"}:
            each.flags.locked = True
        if wish == "undrawn":
            each.flags.undrawn = True

    def _is_more(self, each: WTField) -> bool:
        return not each.flags.required and not each.flags.locked

    def _is_apart(self, each: WTField) -> bool:
        """Is a field shown elsewhere, or nowhere?"""
        return bool(each.flags.undrawn) or (each.name in form_fields.BEHIND_MORE and self._is_more(each))


def _signer() -> Serializer:
    return serializer(tuple(settings().signing_keys), "signup-form")
