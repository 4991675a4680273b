"""What the sections have in common: their base, and the kinds of text that they hold."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationInfo

from app.core.addresses import has_host, is_email_address
from app.core.config.brand import COLOR, MAX_NAME_LENGTH, MAX_URL_LENGTH, WEB_URL
from app.web.input.visible import is_visible

SLUG_PATTERN = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"


class Section(BaseModel):
    """A frozen part of the settings.

    Names that it does not know are ignored, so that older processes can read what newer ones have stored.
    An import refuses them (`document.load`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", str_strip_whitespace=True)


# The context in which a document of the database is read. A rule that came after it must not make it
# unreadable, because an older version would then be in force.
STORED: dict[str, Any] = {"is_stored": True}


def is_stored(info: ValidationInfo) -> bool:
    """Is this read from the database, and not chosen just now?"""
    return info.context == STORED


def _email_address(value: str) -> str:
    if not is_email_address(value):
        raise ValueError("Enter an email address.")
    return value


def _web_url(value: str, info: ValidationInfo) -> str:
    if not WEB_URL.fullmatch(value) or not (is_stored(info) or has_host(value)):
        raise ValueError("Enter a URL that begins with https://.")
    return value


def _color(value: str) -> str:
    if not COLOR.fullmatch(value):
        raise ValueError("Enter a color such as #3b5bdb.")
    return value.lower()


def _slug(value: str) -> str:
    if not re.fullmatch(SLUG_PATTERN, value):
        raise ValueError("Use up to 40 lower-case letters, digits and hyphens.")
    return value


def _visible(value: str, info: ValidationInfo) -> str:
    if not (is_stored(info) or is_visible(value)):
        raise ValueError("Use at least one character that can be seen.")
    return value


Slug = Annotated[str, AfterValidator(_slug)]
EmailAddress = Annotated[str, AfterValidator(_email_address), StringConstraints(max_length=254)]
WebUrl = Annotated[str, AfterValidator(_web_url), StringConstraints(max_length=MAX_URL_LENGTH)]
Color = Annotated[str, AfterValidator(_color)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH), AfterValidator(_visible)]
