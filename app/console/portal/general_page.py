"""The section of the profile itself: its name for operators, and its Stripe app."""

from typing import Any

from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, Length

from app import apps
from app.console.portal.section_form import SectionForm
from app.console.portal.section_page import Section, add
from app.core import db
from app.web.forms import one_line, trimmed


class GeneralForm(SectionForm):
    """What makes the profile."""

    PLACES = {  # noqa: RUF012 (declared as a ClassVar in the base)
        "name": ("name",),
        "app_id": ("app_id",),
    }

    name = StringField(
        "Name",
        filters=[trimmed],
        validators=[
            DataRequired("Enter a name."),
            Length(max=80, message="Use 80 characters or fewer."),
            one_line,
        ],
        description="Only operators see this name.",
        render_kw={"maxlength": 80, "autocomplete": "off"},
    )
    app_id = SelectField("Stripe app")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        installed = apps.installed(db.session())
        known = [SelectChoice(app.id, app.name) for app in installed]
        self.app_id.choices = [SelectChoice("", "The default app"), *known]

    @classmethod
    def read(cls, document: dict[str, Any]) -> dict[str, Any]:
        """Return a blank for the default app."""
        return {**super().read(document), "app_id": document["app_id"] or ""}

    def write(self, document: dict[str, Any], *, decided: set[str]) -> None:
        """Put None in for the default app."""
        super().write(document, decided=decided)
        document["app_id"] = self.app_id.data or None


add(
    Section(
        name="general",
        title="Profile",
        lead="A profile is a brand or legal entity, with its own Stripe app.",
        form=GeneralForm,
    )
)
