"""The forms of the Stripe pages: labels and limits."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import BooleanField, PasswordField, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from app.apps import App
from app.web.input.forms import name_field, one_line, trimmed

MAX_NAME_LENGTH = 256
MAX_KEY_LENGTH = 300


def key_field(label: str) -> PasswordField:
    """A Stripe API key. It is never shown again: WTForms gives a password field no value."""
    return PasswordField(
        label,
        filters=[trimmed],
        validators=[
            DataRequired("Enter the key."),
            Length(max=MAX_KEY_LENGTH, message="This key is too long. Copy it again from the Dashboard."),
            one_line,
        ],
        description="It starts with sk_test_, rk_test_, sk_live_ or rk_live_.",
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )


def app_name_field() -> StringField:
    """The name of an app."""
    description = "Only operators and programs see this name."
    return name_field(MAX_NAME_LENGTH, description=description, autocomplete="off")


class KeyForm(FlaskForm):
    """The first step of an installation."""

    api_key = key_field("Secret or restricted API key")


class ConfirmForm(FlaskForm):
    """The second step: confirm the account."""

    name = app_name_field()
    takes_default = BooleanField("Make it the default app for new customers")


class ReplaceForm(FlaskForm):
    """Another key for an app."""

    api_key = key_field("New API key of the same account and mode")


class RenameForm(FlaskForm):
    """Another name for an app."""

    name = app_name_field()


class UninstallForm(FlaskForm):
    """Uninstall an app: the operator types its account id to confirm."""

    account = StringField(
        "Account to uninstall",
        filters=[trimmed],
        validators=[DataRequired("Enter the account id.")],
        render_kw={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "none"},
    )

    def __init__(self, app: App, **options: Any) -> None:
        super().__init__(**options)
        self._app = app
        self.account.description = f"Type {app.stripe_account_id} to confirm."

    def validate_account(self, field: StringField) -> None:
        """Require the id of this account."""
        if field.data != self._app.stripe_account_id:
            raise ValidationError(f"Type {self._app.stripe_account_id} exactly as shown.")
