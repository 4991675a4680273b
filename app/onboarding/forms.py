"""The sign-up form: labels, limits, and the customer that it asks for."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask_wtf import FlaskForm
from itsdangerous import BadSignature, URLSafeTimedSerializer
from wtforms import EmailField, Field, HiddenField, SelectField, StringField
from wtforms.validators import DataRequired, Email, InputRequired, Length

from app.core import currencies
from app.core.config import settings
from app.core.db import new_id
from app.customers import Customer, NewCustomer
from app.web.forms import has_control_characters, one_line, trimmed
from app.web.languages import gettext as _
from app.web.languages import lazy_gettext as lazy
from app.web.options import CachedSelect

MOST_SUBJECT_KEYS = 100
LONGEST_KEY = 256
FORM_AGE = 20 * 3600  # seconds


@dataclass(frozen=True)
class Form:
    """One form, in one tab: one form makes one customer, however often it is sent."""

    id: str = field(default_factory=new_id)
    made_at: datetime | None = None  # when a form that was sent had been drawn

    @property
    def nonce(self) -> str:
        """The form's id, signed."""
        signed = _signer().dumps(self.id)
        return signed.decode() if isinstance(signed, bytes) else signed

    @classmethod
    def of(cls, nonce: str | None) -> "Form | None":
        """Read a nonce; None when we did not sign it, or too long ago."""
        try:
            form_id, made_at = _signer().loads(nonce or "", max_age=FORM_AGE, return_timestamp=True)
        except BadSignature:
            return None
        return cls(form_id, made_at) if isinstance(form_id, str) else None


class SubjectKeysField(Field):
    """A repeated text field: every `subject_keys` of the request, in order, blanks kept for the page."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.entry_errors: dict[int, str] = {}

    def process_formdata(self, valuelist: list[str]) -> None:
        """Take what was typed, trimmed."""
        self.data = [trimmed(value) or "" for value in valuelist[: MOST_SUBJECT_KEYS + 1]]

    def process_data(self, value: Any) -> None:
        """Show what is given, or one blank."""
        self.data = list(value or []) or [""]

    def validate(self, _form: Any, _extra_validators: Any = ()) -> bool:
        """Check every key, and that there is one. `errors` is left for what is wrong with all of them."""
        self.data = self.data or [""]
        self.errors = []
        self.entry_errors = dict(self._problems())
        if self.flags.required and not any(self.data):
            self.entry_errors = {0: _("Enter at least one account or device name.")}
        if len(self.data) > MOST_SUBJECT_KEYS:
            self.errors = [_("Enter %(number)s names or fewer.", number=MOST_SUBJECT_KEYS)]
        return not (self.errors or self.entry_errors)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that were typed."""
        return tuple(key for key in self.data if key)

    def _problems(self) -> Iterator[tuple[int, str]]:
        seen: set[str] = set()
        for index, key in enumerate(self.data):
            if len(key) > LONGEST_KEY:
                yield index, _("Use %(number)s characters or fewer.", number=LONGEST_KEY)
            elif has_control_characters(key):
                yield index, _("This has characters that can't be used. Please retype it.")
            elif key and key in seen:
                yield index, _("You've already entered this name.")
            seen.add(key)


class SignupForm(FlaskForm):
    """The details that a visitor enters."""

    name = StringField(
        lazy("Company or your name"),
        filters=[trimmed],
        validators=[
            DataRequired(lazy("Enter your company's name or your own.")),
            Length(max=256, message=lazy("Use %(number)s characters or fewer.", number=256)),
            one_line,
        ],
        render_kw={"autocomplete": "organization", "maxlength": 256},
    )
    email = EmailField(
        lazy("Email address"),
        filters=[trimmed],
        validators=[
            DataRequired(lazy("Enter the email address for receipts.")),
            Length(max=254, message=lazy("Use %(number)s characters or fewer.", number=254)),
            Email(lazy("Enter an email address like name@example.com.")),
        ],
        render_kw={"autocomplete": "email", "inputmode": "email", "maxlength": 254},
    )
    currency = SelectField(
        lazy("Currency"),
        validators=[InputRequired(lazy("Choose a currency."))],
        widget=CachedSelect(),
        render_kw={"autocomplete": "transaction-currency"},
    )
    key = StringField(
        lazy("Your reference"),
        filters=[trimmed],
        validators=[
            Length(max=LONGEST_KEY, message=lazy("Use %(number)s characters or fewer.", number=LONGEST_KEY)),
            one_line,
        ],
        render_kw={"autocomplete": "off", "maxlength": LONGEST_KEY, "spellcheck": "false"},
    )
    subject_keys = SubjectKeysField(lazy("Account or device names"))
    nonce = HiddenField()
    handover = HiddenField()  # a signed hand-over, sealed again by us

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.currency.choices = currencies.choices()
        asked = settings().signup_subject_keys
        if asked == "hidden":
            del self.subject_keys
        else:
            self.subject_keys.flags.required = asked == "required"

    @classmethod
    def blank(cls, **values: Any) -> "SignupForm":
        """A form for somebody new, which may begin with some values."""
        return cls(data={"currency": settings().default_currency, "nonce": Form().nonce} | values)

    @classmethod
    def showing(cls, customer: Customer, form: Form) -> "SignupForm":
        """A form with the details that this browser gave already."""
        return cls(
            data={
                "name": customer.name,
                "email": customer.primary_email,
                "currency": customer.currency,
                "key": customer.key,
                "subject_keys": [key for key in customer.subject_keys if key != customer.id],
                "nonce": form.nonce,
            }
        )

    def wanted(self) -> NewCustomer:
        """Return the details of the customer to create, which has no id yet.

        Without subject keys, the id will serve as one.
        """
        return NewCustomer(
            name=self.name.data,
            key=self.key.data or None,
            subject_keys=self.subject_keys.keys if self.subject_keys else (),
            primary_email=self.email.data,
            currency=self.currency.data,
        )


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(settings().signing_keys, salt="signup-form")
