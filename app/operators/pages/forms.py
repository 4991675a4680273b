"""The forms of operators' accounts: labels and limits."""

from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, EmailField, HiddenField, PasswordField, SelectChoice, SelectField, StringField
from wtforms.validators import DataRequired, Length, Optional, Regexp, ValidationError

from app.core.db import utcnow
from app.operators.auth.passwords import MAX_LENGTH, MIN_LENGTH
from app.operators.auth.tokens import LAST_DAY, SCOPES
from app.operators.models import Role
from app.web.input.forms import max_length, name_field, one_line, trimmed

MAX_NAME_LENGTH = 256
ROLES = {
    Role.VIEWER: "Viewer: only looks",
    Role.OPERATOR: "Operator: mends customers",
    Role.ADMIN: "Admin: also keys and team",
}
SCOPE_WORDS = {
    "read": "Read: sees customers and apps",
    "write": "Write: also changes customers",
    "admin": "Admin: also Stripe apps",
}

ROLE_CHOICES = [SelectChoice(role.value, words) for role, words in ROLES.items()]
SCOPE_CHOICES = [SelectChoice(scope, SCOPE_WORDS[scope]) for scope in SCOPES]


def email_field() -> EmailField:
    """An email address with which somebody logs in."""
    return EmailField(
        "Email address",
        filters=[trimmed],
        validators=[
            DataRequired("Enter the email address."),
            max_length(254),
            Regexp(r"[^\s@]{1,64}@[^\s@]+$", message="Enter an email address like name@example.com."),
            one_line,
        ],
        render_kw={"maxlength": 254, "autocapitalize": "none", "spellcheck": "false"},
    )


def password_field(label: str, *, new: bool) -> PasswordField:
    """A password. The action checks the strength of a new one."""
    rules = f"{MIN_LENGTH} characters or more. A few words are easier to keep in mind."
    return PasswordField(
        label,
        description=rules if new else "",
        validators=[DataRequired("Choose a password." if new else "Enter your password.")],
        render_kw={"autocomplete": "new-password" if new else "current-password"}
        | ({"maxlength": MAX_LENGTH, "minlength": MIN_LENGTH} if new else {}),
    )


def code_field(label: str) -> StringField:
    """A code of the second factor."""
    return StringField(
        label,
        filters=[trimmed],
        validators=[DataRequired("Enter the code."), Length(max=40, message="A code is shorter than that.")],
        render_kw={"autocomplete": "one-time-code", "autocapitalize": "characters", "spellcheck": "false"},
    )


class LoginForm(FlaskForm):
    """Who is it?"""

    # No rule for its form: what is no address is as unknown as any other.
    email = EmailField(
        "Email address",
        filters=[trimmed],
        validators=[DataRequired("Enter your email address.")],
        render_kw={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    )
    password = password_field("Password", new=False)


class CodeForm(FlaskForm):
    """The second factor, after the password."""

    code = code_field("Code")


class SetupForm(FlaskForm):
    """The first operator."""

    token = StringField(
        "Set-up token",
        description="It is in the server's log, near the start.",
        filters=[trimmed],
        validators=[DataRequired("Enter the token from the server's log.")],
        render_kw={"autocomplete": "off", "spellcheck": "false", "class": "code"},
    )
    email = email_field()
    name = name_field(MAX_NAME_LENGTH)
    password = password_field("Password", new=True)


class InvitationForm(FlaskForm):
    """A new password, by a one-time link."""

    token = HiddenField()
    password = password_field("New password", new=True)


class NameForm(FlaskForm):
    """The own name."""

    name = name_field(MAX_NAME_LENGTH)


class PasswordForm(FlaskForm):
    """Another password."""

    current = password_field("Current password", new=False)
    new = password_field("New password", new=True)


class ConfirmForm(FlaskForm):
    """The password again, before a change that weakens the account."""

    password = password_field("Your password", new=False)


class SecondFactorForm(FlaskForm):
    """A secret that is being set up, and a code that shows that the phone has it."""

    sealed = HiddenField()
    code = code_field("Code from the app")
    password = password_field("Your password", new=False)


class InviteForm(FlaskForm):
    """Somebody new."""

    email = email_field()
    name = name_field(MAX_NAME_LENGTH)
    role = SelectField("Role", choices=ROLE_CHOICES)


class RoleForm(FlaskForm):
    """What somebody may do."""

    role = SelectField("Role", choices=ROLE_CHOICES)


class TokenForm(FlaskForm):
    """A new API token."""

    name = name_field(
        MAX_NAME_LENGTH,
        required="Enter a name, such as the program that will use it.",
        description="Which program will use it.",
        autocomplete="off",
    )
    scope = SelectField("May", choices=SCOPE_CHOICES, default="write")
    expires = DateField(
        "Last day", description="In UTC; without one it does not expire.", validators=[Optional()]
    )

    def validate_expires(self, field: Any) -> None:
        """A day that has not passed yet."""
        last: date | None = field.data
        if last is not None and last < utcnow().date():
            raise ValidationError("This day has already passed.")
        if last is not None and last > LAST_DAY:
            raise ValidationError("This day is too far away. Leave it empty: then the token does not expire.")
