"""The form for a new secret."""

from flask_wtf import FlaskForm

from app.onboarding.handovers import MAX_NAME_LENGTH
from app.web.input.forms import name_field


class SecretForm(FlaskForm):
    """A new secret."""

    name = name_field(
        MAX_NAME_LENGTH,
        required="Enter a name, such as the app that will sign with it.",
        description="Which app will sign with it, and since when.",
        autocomplete="off",
    )
