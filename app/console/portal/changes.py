"""What a draft would change, with the labels of the forms that edit it."""

import json
from collections.abc import Iterator

from wtforms import Field, SelectField

from app import portal
from app.console.portal.sections.fields import question_line
from app.console.portal.sections.section_form import SectionForm
from app.console.portal.sections.section_page import SECTIONS
from app.core.values import frozen
from app.web.languages import NAMES

NOTHING: tuple[object, ...] = (None, "", [], {})


@frozen
class Change:
    """One setting, as it is published and as the draft has it."""

    setting: str
    before: str
    after: str


def of_draft(stored: portal.PortalSettings, edited: portal.PortalSettings) -> list[Change]:
    """Return what would change. Of a new profile, that is how it differs from the default one."""
    return [*_of_profiles(stored, edited), *_of_settings(stored, edited)]


def _of_profiles(stored: portal.PortalSettings, edited: portal.PortalSettings) -> Iterator[Change]:
    for slug, one in edited.profiles.items():
        if slug not in stored.profiles:
            yield Change(one.name, "none", "New: like the default profile, but for what follows")
    for slug, one in stored.profiles.items():
        if slug not in edited.profiles:
            yield Change(one.name, "Published", "Deleted")
    if stored.default_profile != edited.default_profile:
        yield Change("Default profile", stored.default.name, edited.default.name)


def _of_settings(stored: portal.PortalSettings, edited: portal.PortalSettings) -> Iterator[Change]:
    forms = {name: section.form(formdata=None) for name, section in SECTIONS.items()}
    for slug, one in edited.profiles.items():
        is_new = slug not in stored.profiles
        old = edited.default.model_copy(update={"name": one.name}) if is_new else stored.profiles[slug]
        before, after = portal.differences(old.model_dump(mode="json"), one.model_dump(mode="json"))
        for path in {**before, **after}:
            place = tuple(path.split("."))
            section, field = _field(forms, place)
            words = [one.name, *([SECTIONS[section].title] if section else []), _label(field, place)]
            shown = (_value(field, values.get(path)) for values in (before, after))
            yield Change(", ".join(dict.fromkeys(words)), *shown)


def _field(forms: dict[str, SectionForm], place: portal.Place) -> tuple[str | None, Field | None]:
    """Return the section that edits a place, and the field there, if it has one."""
    for section, form in forms.items():
        for name, own in form.PLACES.items():
            if place[: len(own)] == own:
                return section, form[name]
    if place[0] not in forms:
        return None, None
    form = forms[place[0]]  # texts and pictures are named by their places
    return place[0], form[place[1]] if len(place) > 1 and place[1] in form else None


def _label(field: Field | None, place: portal.Place) -> str:
    label = str(field.label.text) if field else place[-1].replace("_", " ").capitalize()
    language = NAMES.get(place[-1])
    return f"{label} ({language})" if language else label


def _value(field: Field | None, value: object) -> str:
    """Return what people read of a value: of a choice, its label."""
    if value in NOTHING and not isinstance(field, SelectField):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(field, SelectField):
        labels = {choice.value: choice.label for choice in field.choices or ()}
        return str(labels.get(value or "", value))
    if isinstance(value, list):
        return ", ".join(
            question_line(each) if isinstance(each, dict) else NAMES.get(each, str(each)) for each in value
        )
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
