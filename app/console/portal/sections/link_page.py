"""The section of the links: help, terms, privacy and imprint."""

from wtforms import EmailField, URLField

from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add
from app.web.input.forms import max_length, one_line, trimmed


def url_field(label: str) -> URLField:
    """The address of one of the company's pages."""
    return URLField(
        label,
        filters=[trimmed],
        validators=[max_length(2000), one_line],
        render_kw={"placeholder": "https://", "autocomplete": "off"},
    )


class LinksForm(SectionForm):
    """The links in the footer of every page."""

    PLACES = {  # noqa: RUF012 (declared as a ClassVar in the base)
        "support_email": ("links", "support_email"),
        "terms_url": ("links", "terms_url"),
        "privacy_url": ("links", "privacy_url"),
        "imprint_url": ("links", "imprint_url"),
    }

    support_email = EmailField(
        "Email address for help",
        filters=[trimmed],
        validators=[max_length(254), one_line],
        render_kw={"autocomplete": "off"},
    )
    terms_url = url_field("Terms")
    privacy_url = url_field("Privacy policy")
    imprint_url = url_field("Imprint")


add(Section(name="links", title="Links", lead="They are in the footer of every page.", form=LinksForm))
