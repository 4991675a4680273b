"""What the forms of several packages share."""

import secrets
from typing import Any

from flask import current_app, request, session
from flask_wtf.csrf import validate_csrf
from wtforms import Field, StringField
from wtforms.validators import DataRequired, Length, ValidationError

from app.web.input.signed import serializer
from app.web.input.visible import has_control_characters, hidden_character, trim
from app.web.languages import gettext, lazy_gettext


def csrf_token() -> str:
    """Return a token for a form without Flask-WTF, as its `generate_csrf` does, which takes longer."""
    raw = session.setdefault("csrf_token", secrets.token_hex(20))
    return serializer(tuple(current_app.config["WTF_CSRF_SECRET_KEY"]), "wtf-csrf-token").sign(raw)


def is_from_our_page() -> bool:
    """Does a request come with the token of a page that this browser was shown?

    Views that check it by hand answer a program without cookies with the page again, and not with an error.
    """
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return False
    return True


def trimmed(value: str | None) -> str | None:
    """Return text without the spaces around it. Text without visible characters counts as empty."""
    if not value or has_control_characters(value):  # another check refuses it
        return value.strip() if value else value
    return trim(value)


def max_length(limit: int) -> Any:
    """Refuse a text that is too long."""
    return Length(max=limit, message=lazy_gettext("Use %(number)s characters or fewer.", number=limit))


def name_field(
    limit: int, *, required: str = "Enter a name.", description: str = "", **attributes: str
) -> StringField:
    """Return the field for the name of somebody or something in the console."""
    return StringField(
        "Name",
        description=description,
        filters=[trimmed],
        validators=[DataRequired(required), max_length(limit), one_line],
        render_kw={"maxlength": limit} | attributes,
    )


def one_line(_form: Any, field: Field) -> None:
    """Refuse characters that nobody types and some databases refuse."""
    if has_control_characters(field.data or ""):
        raise ValidationError(gettext("This has characters that can’t be used. Please retype it."))


def no_hidden(_form: Any, field: Field) -> None:
    """Refuse a character that nobody can see: two keys would look alike."""
    if hidden_character(field.data or ""):
        raise ValidationError(gettext("This has characters that can’t be used. Please retype it."))
