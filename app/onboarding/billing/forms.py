"""The forms of the billing page that take text."""

import unicodedata

from flask_wtf import FlaskForm
from wtforms import EmailField, StringField
from wtforms.validators import DataRequired, Email, Length

from app.web.input.forms import one_line, trimmed
from app.web.languages import lazy_gettext as lazy


def digits(value: str | None) -> str:
    """Return the digits that were typed, as 0 to 9: people copy spaces along, and type Arabic digits."""
    return "".join(str(unicodedata.decimal(typed)) for typed in value or "" if typed.isdecimal())


class AddressForm(FlaskForm):
    """One email address: it asks for a code, or it is invited."""

    email = EmailField(
        lazy("Email address"),
        filters=[trimmed],
        validators=[
            DataRequired(lazy("Enter an email address.")),
            Length(max=254, message=lazy("Use %(number)s characters or fewer.", number=254)),
            one_line,
            Email(lazy("Enter an email address, such as name@example.com.")),
        ],
        render_kw={"autocomplete": "email", "maxlength": 254},
    )


class CodeForm(FlaskForm):
    """The code that was sent."""

    code = StringField(
        lazy("Code"),
        filters=[digits],
        validators=[DataRequired(lazy("Enter the six digits of the code."))],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric", "maxlength": 20},
    )
