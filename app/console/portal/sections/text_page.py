"""The section of the texts: the company's own words, in one language at a time."""

from typing import Any

from flask import request
from wtforms import TextAreaField

from app import portal
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add
from app.web.input.forms import max_length, trimmed


def language() -> str:
    """Return the language of the texts on the page."""
    named = request.args.get("language", "")
    return named if named in portal.LANGUAGES else "en"


class TextsForm(SectionForm):
    """The texts of one language. A blank one falls back to the default language's, then to our own."""

    @classmethod
    def read(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return the texts of the language."""
        return {name: document["texts"].get(name, {}).get(language(), "") for name in portal.TEXTS}

    def write(self, document: dict[str, Any], *, decided: set[str]) -> None:  # noqa: ARG002 (no variable names any)
        """Put the texts in, and take the blank ones out."""
        for name in portal.TEXTS:
            texts = {**document["texts"].get(name, {}), language(): self[name].data or ""}
            document["texts"][name] = {key: text for key, text in texts.items() if text}
        document["texts"] = {name: texts for name, texts in document["texts"].items() if texts}


for name, slot in portal.TEXTS.items():
    setattr(
        TextsForm,
        name,
        TextAreaField(
            slot.label,
            filters=[trimmed],
            validators=[max_length(slot.limit)],
            description=slot.hint,
            render_kw={"rows": slot.rows, "maxlength": slot.limit},
        ),
    )

add(
    Section(
        name="texts",
        title="Texts",
        lead="Your own words. Where a text is blank, the default language's is used, then ours.",
        form=TextsForm,
        template="console/portal/texts.html",
    )
)
