"""The section of the languages: which the pages offer, and which is the default."""

from typing import Any

from wtforms import SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from app import portal
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add
from app.web.languages import NAMES

CHOICES = [SelectChoice(language, NAMES[language]) for language in portal.LANGUAGES]


class LanguagesForm(SectionForm):
    """The languages of a profile. The default is for visitors who ask for none of them."""

    default = SelectField("Default language", choices=CHOICES)
    others = SelectMultipleField(
        "Languages that the pages offer",
        choices=CHOICES,
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )

    @classmethod
    def read(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return the default language apart."""
        return {"default": document["languages"][0], "others": document["languages"]}

    def write(self, document: dict[str, Any], *, decided: set[str]) -> None:  # noqa: ARG002 (no variable names any)
        """Put the default language first."""
        document["languages"] = [self.default.data, *self.others.data]


add(
    Section(
        name="languages",
        title="Languages",
        lead="Visitors get the language of their link or browser, if the pages offer it.",
        form=LanguagesForm,
        template="console/portal/languages.html",
    )
)
