"""How the pages look, and the company behind them."""

import re
import unicodedata
from pathlib import Path

from pydantic import Field, field_validator

from app.core import pictures
from app.core.addresses import has_host, is_email_address
from app.core.config.subject import SubjectSettings
from app.core.reference import currencies

MAX_CSS_BYTES = 200_000
# What the portal's settings take, too: a variable that they refuse would stop every page.
MAX_NAME_LENGTH = 80
MAX_URL_LENGTH = 2000
MAX_LOGO_BYTES = 20_000  # pages must stay light
WEB_URL = re.compile(r"https?://[^/\s]+(/\S*)?")
COLOR = re.compile(r"#[0-9a-fA-F]{6}")


class BrandSettings(SubjectSettings):
    """How the pages look, and the company behind them."""

    company_name: str = Field(
        default="Acme Cloud",
        description="Your name on every page",
        min_length=1,
        max_length=MAX_NAME_LENGTH,
    )
    logo_file: Path | None = Field(
        default=None, description="Your logo, an SVG, PNG or WebP file under 20 kB and 4 million pixels"
    )
    accent_color: str = Field(default="#3b5bdb", description="Buttons and links, as `#rrggbb`")
    custom_css_file: Path | None = Field(
        default=None,
        description="CSS for the public pages, under 200 kB; else `custom.css` in the data folder",
    )
    support_email: str | None = Field(default=None, description="Where customers get help")
    terms_url: str | None = Field(
        default=None, description="Your terms, linked beside the button", max_length=MAX_URL_LENGTH
    )
    default_currency: str = Field(default="USD", description="Currency selected at first on the form")

    @field_validator("company_name")
    @classmethod
    def _one_line(cls, value: str) -> str:
        if any(unicodedata.category(character) == "Cc" for character in value):
            raise ValueError("must be one line")
        return value

    @field_validator("accent_color")
    @classmethod
    def _colour(cls, value: str) -> str:
        if not COLOR.fullmatch(value):
            raise ValueError("must be a colour such as #3b5bdb")
        return value.lower()

    @field_validator("support_email")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value and not is_email_address(value):
            raise ValueError("must be an email address")
        return value or None

    @field_validator("terms_url")
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value and not (WEB_URL.fullmatch(value) and has_host(value)):
            raise ValueError("must be a URL that begins with https://")
        return value or None

    @field_validator("default_currency")
    @classmethod
    def _offered(cls, value: str) -> str:
        if value.upper() not in currencies.CODES:
            raise ValueError("must be the code of a currency that Stripe knows, such as USD")
        return value.upper()

    @field_validator("custom_css_file")
    @classmethod
    def _style(cls, value: Path | None) -> Path | None:
        if value is None or not str(value).strip("."):
            return None
        if value.suffix.lower() != ".css" or not value.is_file():
            raise ValueError("must name an existing CSS file")
        if value.stat().st_size > MAX_CSS_BYTES:
            raise ValueError("must be under 200 kB, so that pages stay light")
        return value

    @field_validator("logo_file")
    @classmethod
    def _logo(cls, value: Path | None) -> Path | None:
        if value is None or not str(value).strip("."):
            return None
        if value.suffix.lower() not in {".svg", ".png", ".webp"} or not value.is_file():
            raise ValueError("must name an existing SVG, PNG or WebP file")
        if value.stat().st_size > MAX_LOGO_BYTES:
            raise ValueError("must be under 20 kB, so that pages stay light")
        if pictures.is_too_large(value.read_bytes()):
            raise ValueError(f"must be {pictures.TOO_LARGE}")
        return value
