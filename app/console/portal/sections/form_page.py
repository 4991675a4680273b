"""The section of the form: its fields, the company's questions, currencies and subject keys."""

from typing import Any

from wtforms import BooleanField, SelectChoice, SelectField, StringField
from wtforms.validators import Length

from app.console.portal.sections.fields import LinesField, QuestionsField
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add
from app.web.input.forms import max_length, one_line, trimmed

PRESENCES = [SelectChoice(name, name.capitalize()) for name in ("required", "optional", "hidden", "locked")]
LABELS = {
    "name": "Name",
    "company": "Company",
    "email": "Email address",
    "phone": "Phone",
    "currency": "Currency",
    "key": "Reference",
    "subject_keys": "Subject keys",
    "billing_address": "Billing address",
    "tax_id": "Tax id",
    "purchase_order": "Purchase-order number",
}


class PresencesForm(SectionForm):
    """Whether each field is there."""


for name, label in LABELS.items():
    setattr(PresencesForm, f"field_{name}", SelectField(label, choices=PRESENCES))


class FieldsForm(PresencesForm):
    """What the form asks for."""

    PLACES = {  # noqa: RUF012 (declared as a ClassVar in the base)
        **{f"field_{name}": ("form", "fields", name) for name in LABELS},
        "custom_fields": ("form", "custom_fields"),
        "currencies": ("form", "currencies"),
        "default_currency": ("form", "default_currency"),
        "subject_key_pattern": ("form", "subject_key_pattern"),
        "subject_keys_from_handover_only": ("form", "subject_keys_from_handover_only"),
    }

    custom_fields = QuestionsField(
        "Your own questions",
        description=(
            "One in each line: name | text, choice or checkbox | required, optional, hidden or locked"
            " | label | choices. For example: team | choice | optional | Team; de: Gruppe"
            " | Sales; de: Vertrieb, Support. The first text of a choice is stored, whatever the language."
        ),
        render_kw={"rows": 4, "spellcheck": "false"},
    )
    currencies = LinesField(
        "Currencies you offer",
        description="One code in each line, such as EUR. Blank: every currency that Stripe knows.",
        render_kw={"rows": 3, "spellcheck": "false"},
    )
    default_currency = StringField(
        "Currency selected at first",
        filters=[trimmed],
        validators=[Length(min=3, max=3, message="Enter a code such as EUR."), one_line],
        render_kw={"maxlength": 3, "autocomplete": "off", "spellcheck": "false"},
    )
    subject_key_pattern = StringField(
        "Pattern of subject keys",
        filters=[trimmed, lambda value: value or None],
        validators=[max_length(200), one_line],
        description="What a visitor may enter, such as customer-*. Blank: anything that nobody else has.",
        render_kw={"maxlength": 200, "autocomplete": "off", "spellcheck": "false"},
    )
    subject_keys_from_handover_only = BooleanField(
        "Take references and subject keys from signed hand-overs only",
        description="Choose this if your app hands over keys. Otherwise a visitor could take one first.",
    )

    @classmethod
    def read(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return a blank for no pattern."""
        values = super().read(document)
        return {**values, "subject_key_pattern": values["subject_key_pattern"] or ""}


add(
    Section(
        name="form",
        title="Form",
        lead="What the sign-up form asks for. A locked field only shows its value from the link.",
        form=FieldsForm,
    )
)
