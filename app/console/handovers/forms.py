"""The form for a new secret."""

from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from app.onboarding.handovers import MAX_NAME_LENGTH
from app.web.forms import one_line, trimmed


class SecretForm(FlaskForm):
    """A new secret."""

    name = StringField(
        "Name",
        description="Which app will sign with it, and since when.",
        filters=[trimmed],
        validators=[
            DataRequired("Enter a name, such as the app that will sign with it."),
            Length(max=MAX_NAME_LENGTH, message=f"Use {MAX_NAME_LENGTH} characters or fewer."),
            one_line,
        ],
        render_kw={"maxlength": MAX_NAME_LENGTH, "autocomplete": "off"},
    )
