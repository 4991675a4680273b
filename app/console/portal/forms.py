"""The form for a new profile."""

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length, Regexp

from app.portal import SLUG_PATTERN
from app.web.forms import one_line, trimmed


def name_field() -> StringField:
    """Return the field for what operators call a profile."""
    return StringField(
        "Name",
        filters=[trimmed],
        validators=[
            DataRequired("Enter a name."),
            Length(max=80, message="Use 80 characters or fewer."),
            one_line,
        ],
        description="Only operators see this name.",
        render_kw={"maxlength": 80, "autocomplete": "off"},
    )


class ProfileForm(FlaskForm):
    """A new profile: what operators call it, and its place in the address."""

    name = name_field()
    slug = StringField(
        "Address",
        filters=[trimmed],
        validators=[
            DataRequired("Enter the last part of the address."),
            Regexp(rf"^{SLUG_PATTERN}\Z", message="Use up to 40 lower-case letters, digits and hyphens."),
        ],
        description="The last part of /signup/…, in lower-case letters, digits and hyphens.",
        render_kw={"maxlength": 40, "autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )
