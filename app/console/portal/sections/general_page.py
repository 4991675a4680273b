"""The section of the profile itself: its name for operators, and its Stripe app."""

from typing import Any

from wtforms import SelectField
from wtforms.fields import SelectChoice

from app import apps
from app.console.portal.forms import profile_name_field
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import Section, add
from app.core import db


class GeneralForm(SectionForm):
    """What makes the profile."""

    PLACES = {  # noqa: RUF012 (declared as a ClassVar in the base)
        "name": ("name",),
        "app_id": ("app_id",),
    }
    NONE_IF_BLANK = frozenset({"app_id"})

    name = profile_name_field()
    app_id = SelectField("Stripe app")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        installed = apps.installed(db.session())
        known = [SelectChoice(app.id, app.name) for app in installed]
        self.app_id.choices = [SelectChoice("", "The default app"), *known]


add(
    Section(
        name="general",
        title="Profile",
        lead="A profile is a brand or legal entity, with its own Stripe app.",
        form=GeneralForm,
    )
)
