"""The section for what comes after saving: the way back to the company's app, and embedding."""

from typing import Any

from wtforms import BooleanField, IntegerField
from wtforms.validators import NumberRange, Optional

from app.console.portal.sections.fields import NO_LANGUAGE, LinesField, TranslationsField
from app.console.portal.sections.link_page import url_field
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add


class AfterForm(SectionForm):
    """Where customers go once they have saved a payment method, and who may embed the pages."""

    PLACES = {  # noqa: RUF012 (declared as a ClassVar in the base)
        "return_url": ("after", "return_url"),
        "label": ("after", "label"),
        "redirect_seconds": ("after", "redirect_seconds"),
        "is_signed": ("after", "is_signed"),
        "allowed_return_hosts": ("after", "allowed_return_hosts"),
        "embed_origins": ("embed_origins",),
    }
    NONE_IF_BLANK = frozenset({"return_url"})

    return_url = url_field("Where customers go on")
    label = TranslationsField(
        "Name of that place",
        description=(
            "Such as Acme: the button says “Continue to Acme”. For several languages, one in each line,"
            " such as “de: Acme”."
        ),
        render_kw={"rows": 3},
    )
    redirect_seconds = IntegerField(
        "Continue automatically after this many seconds",
        validators=[Optional(), NumberRange(3, 60, "Enter 3 to 60, or leave this blank.")],
        description="Blank: only the button leads on.",
        render_kw={"inputmode": "numeric", "autocomplete": "off"},
    )
    is_signed = BooleanField("Sign the address with the customer’s id and state")
    allowed_return_hosts = LinesField(
        "Hosts that links and hand-overs may name",
        description="One in each line, such as app.example.com. Blank: any.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    embed_origins = LinesField(
        "Sites that may embed the pages",
        description="One origin in each line, such as https://app.example.com. Blank: none.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )

    def write(self, document: dict[str, Any], *, decided: set[str]) -> None:
        """Write the values. A name without a language is in the profile's default one."""
        super().write(document, decided=decided)
        label = document["after"]["label"]
        if NO_LANGUAGE in label:
            label[document["languages"][0]] = label.pop(NO_LANGUAGE)


add(
    Section(
        name="after",
        title="After saving",
        lead="The way back to your app, and where the pages may be embedded.",
        form=AfterForm,
    )
)
