"""The section of the brand: name, logo, colors and shapes."""

from typing import Any

import pydantic
from flask_wtf.file import FileField
from wtforms import BooleanField, ColorField, SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, ValidationError

from app import portal
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add
from app.web.input.forms import max_length, one_line, trimmed

FONTS = [
    SelectChoice("system", "The system's own font"),
    SelectChoice("humanist", "Humanist, such as Optima or Candara"),
    SelectChoice("geometric", "Geometric, such as Avenir or Century Gothic"),
    SelectChoice("rounded", "Rounded, such as SF Rounded or Nunito"),
    SelectChoice("serif", "Serif, such as Charter or Georgia"),
    SelectChoice("slab", "Slab serif, such as Rockwell or Roboto Slab"),
]
RADII = [SelectChoice(name, name.capitalize()) for name in ("none", "small", "medium", "large")]
LOGO_HINT = (
    "An SVG, PNG or WebP file under 20 kB. Unless it spells your name, it is also the icon in browser tabs, "
    "and on a phone's home screen if it is a PNG."
)


class BrandForm(SectionForm):
    """How the pages look."""

    PLACES = {  # noqa: RUF012 (declared as a ClassVar in the base)
        "company_name": ("brand", "company_name"),
        "is_wordmark": ("brand", "is_wordmark"),
        "accent_color": ("brand", "accent_color"),
        "font": ("brand", "font"),
        "corner_radius": ("brand", "corner_radius"),
    }

    company_name = StringField(
        "Company name",
        filters=[trimmed],
        validators=[
            DataRequired("Enter the name that customers know."),
            max_length(80),
            one_line,
        ],
        render_kw={"maxlength": 80, "autocomplete": "organization"},
    )
    logo = FileField("Logo", description=LOGO_HINT)
    removes_logo = BooleanField("Remove the logo")
    logo_dark = FileField("Logo for dark pages", description="Without it, the logo gets a light background.")
    removes_logo_dark = BooleanField("Remove the logo for dark pages")
    is_wordmark = BooleanField("The logo spells the name, so pages do not repeat it")
    accent_color = ColorField(
        "Accent color",
        description="Buttons use it as it is. Links and focus get a readable shade.",
    )
    font = SelectField("Font", choices=FONTS)
    corner_radius = SelectField("Corner radius", choices=RADII)

    def validate_logo(self, field: FileField) -> None:
        """Accept a small picture of a kind that browsers show."""
        _image(field)

    def validate_logo_dark(self, field: FileField) -> None:
        """Accept a small picture of a kind that browsers show."""
        _image(field)

    @classmethod
    def digest(cls, document: dict[str, Any]) -> str:
        """Name the pictures, too."""
        pictures = [(document["brand"][name] or {}).get("data") for name in ("logo", "logo_dark")]
        return super().digest({**document, "pictures": pictures})

    def write(self, document: dict[str, Any], *, decided: set[str]) -> None:
        """Put the pictures in, too: a new one, none, or the one that was there."""
        super().write(document, decided=decided)
        for name, field, removes in (
            ("logo", self.logo, self.removes_logo.data),
            ("logo_dark", self.logo_dark, self.removes_logo_dark.data),
        ):
            content = _content(field)
            if content:
                document["brand"][name] = portal.Image.of(content).model_dump(mode="json")
            elif removes:
                document["brand"][name] = None


def _content(field: FileField) -> bytes:
    """Return what was uploaded; nothing when no file was chosen."""
    if not field.data or isinstance(field.data, str):
        return b""
    field.data.stream.seek(0)
    content = field.data.stream.read()
    assert isinstance(content, bytes)
    return content


def _image(field: FileField) -> None:
    content = _content(field)
    if content:
        try:
            portal.Image.of(content)
        except pydantic.ValidationError as error:
            said = error.errors(include_input=False, include_url=False)[0]["msg"]
            raise ValidationError(said.removeprefix("Value error, ")) from error


add(
    Section(
        name="brand",
        title="Brand",
        lead="How the pages look.",
        form=BrandForm,
        template="console/portal/brand.html",
    )
)
