"""What the forms of several packages share."""

import unicodedata
from typing import Any

from wtforms import Field
from wtforms.validators import ValidationError

from app.web.languages import gettext
from app.web.visible import trim


def trimmed(value: str | None) -> str | None:
    """Return text without the spaces around it. Text without visible characters counts as empty."""
    if not value or has_control_characters(value):  # another check refuses it
        return value.strip() if value else value
    return trim(value)


def one_line(_form: Any, field: Field) -> None:
    """Refuse characters that nobody types and some databases refuse."""
    if has_control_characters(field.data or ""):
        raise ValidationError(gettext("This has characters that can't be used. Please retype it."))


def has_control_characters(text: str) -> bool:
    """Does text hold a line break, a NUL or the like?"""
    return any(unicodedata.category(character) in {"Cc", "Cs"} for character in text)
