"""The form for a new profile."""

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Regexp

from app.portal import SLUG_PATTERN
from app.web.input.forms import name_field, trimmed


def profile_name_field() -> StringField:
    """Return the field for what operators call a profile."""
    return name_field(80, description="Only operators see this name.", autocomplete="off")


class ProfileForm(FlaskForm):
    """A new profile: what operators call it, and its place in the address."""

    name = profile_name_field()
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
