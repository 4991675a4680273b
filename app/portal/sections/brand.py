"""How the pages look, and the links in their footer."""

from typing import Literal

from pydantic import field_validator

from app.core.config import Settings
from app.portal.sections.kinds import Color, EmailAddress, Label, Section, WebUrl
from app.portal.sections.logo import Image

Font = Literal["system", "humanist", "geometric", "serif", "slab", "rounded"]
Radius = Literal["none", "small", "medium", "large"]


class Brand(Section):
    """The company's name, logo, colors and shapes."""

    company_name: Label = Settings.model_fields["company_name"].default
    logo: Image | None = None
    logo_dark: Image | None = None  # for dark pages; without it, the logo gets a light ground
    is_wordmark: bool = False  # the logo spells the name, so pages do not repeat it
    accent_color: Color = Settings.model_fields["accent_color"].default
    font: Font = "system"
    corner_radius: Radius = "medium"


class Links(Section):
    """Where customers find help and the company's terms."""

    support_email: EmailAddress | None = None
    terms_url: WebUrl | None = None
    privacy_url: WebUrl | None = None
    imprint_url: WebUrl | None = None

    @field_validator("*", mode="before")
    @classmethod
    def _no_blank(cls, value: object) -> object:
        return None if value == "" else value


__all__ = ["Brand", "Font", "Links", "Radius"]
