"""What a hand-over fills in, what of it the browser can't change, and whether the form takes it."""

from typing import Any

from werkzeug.datastructures import MultiDict

from app import portal
from app.onboarding import handovers
from app.onboarding.form import fields as form_fields
from app.onboarding.form.details import NO, YES
from app.onboarding.form.fields import INPUTS
from app.onboarding.form.forms import SignupForm
from app.onboarding.handovers import HandoverDetails

CHECKED = {YES: True, NO: False}
NAMES_ON_WIRE = {name: wire for wire, name in handovers.FORM_NAMES.items()}


def values_of(details: HandoverDetails) -> dict[str, Any]:
    """Return what is given, by the names of the form's fields."""
    said: dict[str, Any] = details.model_dump(
        exclude_none=True, exclude={"locked", "profile", "language", "single_use"}
    )
    address: dict[str, Any] = said.pop("billing_address", {})
    custom: dict[str, Any] = said.pop("custom_fields", {})
    # The fields of the form win over a question of the same name.
    return _answers(custom) | address | said


def given_fields(details: HandoverDetails) -> frozenset[str]:
    """Return the fields and questions that have a value, by their names in the portal's settings."""
    asked = portal.current_profile().form.fields
    found = {name for name in asked if getattr(details, name, None)}
    return frozenset(found | set(details.custom_fields or {}))


def fixed_fields(details: HandoverDetails) -> set[str]:
    """Return the fields that the browser can't change: locked ones, and those that the profile hides."""
    form = portal.current_profile().form
    presence = dict(form.fields) | {each.name: each.presence for each in form.custom_fields}
    unasked = {name for name in given_fields(details) if presence.get(name) in {"hidden", "locked"}}
    if details.currency and len(form.currencies) == 1:  # the form does not ask for it
        unasked.add("currency")
    return unasked | details.locked_fields


def fix(fields: MultiDict[str, str], details: HandoverDetails) -> None:
    """Put the values of the hand-over in place of what a browser sent for fields that it can't change."""
    values = values_of(details)
    for each in _fixed_inputs(details):
        put(fields, each, values.get(each, ""))


def lock(form: SignupForm, details: HandoverDetails) -> None:
    """Show locked fields as such. The company may use names that visitors may not."""
    values = values_of(details)
    for name in _fixed_inputs(details):
        form_fields.lock(form[name], values.get(name, ""))


def put(fields: MultiDict[str, str], name: str, value: Any) -> None:
    """Put a value in place of what a browser sent. A box that is not ticked sends nothing."""
    fields.setlist(name, value if isinstance(value, list) else [] if value is False else [value or ""])


def refusals(details: HandoverDetails) -> dict[str, str]:
    """Return why the form does not take the fixed values, by their names on the wire.

    The browser could do nothing about them, so a form that refuses one could never be sent.
    """
    fields: MultiDict[str, str] = MultiDict()
    fix(fields, details)
    form = SignupForm(formdata=fields, given=given_fields(details), meta={"csrf": False})
    lock(form, details)
    form.validate()
    found: dict[str, str] = {}
    for name in sorted(fixed_fields(details)):
        problems = [problem for each in _inputs(name, details) for problem in _problems(form, each)]
        if problems:
            found[NAMES_ON_WIRE.get(name, f"customFields.{name}")] = problems[0]
    return found


def unknown_questions(details: HandoverDetails) -> list[str]:
    """Return the questions that are answered here and that the profile does not have."""
    return sorted(set(details.custom_fields or {}) - set(questions()))


def questions() -> list[str]:
    """Return the names of the questions that the profile of this request has."""
    return [each.name for each in portal.current_profile().form.custom_fields]


def offers(currency: str) -> bool:
    """Does the form of this request's profile offer a currency?"""
    offered = portal.current_profile().form.currencies
    return not offered or currency in offered


def _fixed_inputs(details: HandoverDetails) -> list[str]:
    return [each for name in sorted(fixed_fields(details)) for each in _inputs(name, details)]


def _inputs(name: str, details: HandoverDetails) -> tuple[str, ...]:
    """Return the inputs of a fixed field. A tax id without a country leaves its choice to the browser."""
    inputs = INPUTS.get(name, (name,))
    asked = portal.current_profile().form.fields
    is_asked = not {asked["tax_id"], asked["billing_address"]} <= {"hidden", "locked"}
    if name == "tax_id" and is_asked and "country" not in values_of(details):
        return ("tax_id",)
    return inputs


def _problems(form: SignupForm, name: str) -> list[str]:
    return [str(error) for error in (*form[name].errors, *getattr(form[name], "entry_errors", {}).values())]


def _answers(custom: dict[str, str]) -> dict[str, Any]:
    """Return the answers as the form's inputs take them: a checkbox is true or false."""
    boxes = {each.name for each in portal.current_profile().form.custom_fields if each.kind == "checkbox"}
    return {name: CHECKED.get(answer, answer) if name in boxes else answer for name, answer in custom.items()}
