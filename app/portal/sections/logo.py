"""A logo as the settings store it: which files it may be, and how large."""

import base64
import binascii
import re
from typing import Literal

from pydantic import ValidationInfo, model_validator

from app.core import pictures
from app.core.config.brand import MAX_LOGO_BYTES
from app.portal.sections.kinds import Section, is_stored

SIGNATURES = {
    "image/svg+xml": re.compile(
        # Possessive and atomic: a text that does not match is read once, however many comments it has.
        rb"(?:\xef\xbb\xbf)?\s*+(?:<\?xml[^>]*+>\s*+|(?><!--.*?-->)\s*+|<!DOCTYPE[^>]*+>\s*+)*+<svg[\s>]",
        re.S,
    ),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.S),
}


class Image(Section):
    """A small picture, stored with the settings so that an export holds everything."""

    media_type: Literal["image/svg+xml", "image/png", "image/webp"]
    data: str  # base64

    @model_validator(mode="after")
    def _check_content(self, info: ValidationInfo) -> "Image":
        try:
            content = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError("The picture is not base64.") from error
        if not content or len(content) > MAX_LOGO_BYTES:
            raise ValueError("Use a picture under 20 kB, so that pages stay light.")
        if not SIGNATURES[self.media_type].match(content):
            raise ValueError("Use an SVG, PNG or WebP picture.")
        if pictures.is_too_large(content) and not is_stored(info):
            raise ValueError(f"Use a picture {pictures.TOO_LARGE}.")
        return self

    @classmethod
    def of(cls, content: bytes) -> "Image":
        """Make an image of a file. Raises ValueError for other kinds and for large files."""
        found = next((kind for kind, start in SIGNATURES.items() if start.match(content)), "image/png")
        return cls.model_validate({"media_type": found, "data": base64.b64encode(content).decode()})

    @property
    def content(self) -> bytes:
        """Return the bytes of the file."""
        return base64.b64decode(self.data)
