"""One page for each section of a profile: it shows the draft, and saves into the draft."""

from typing import Any

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from pydantic import ValidationError

from app import portal
from app.console.portal.sections.section_form import SectionForm
from app.core import db
from app.core.config import settings
from app.core.errors import NotFound
from app.core.values import frozen
from app.operators import OperatorPages, Role, actor
from app.web.languages import NAMES

pages = OperatorPages("console_portal", __name__)
CHANGED = "Somebody else changed this section. Reload the page, or save again to replace their change."


@frozen(kw_only=True)
class Section:
    """A page of a profile. `template` extends `console/portal/section.html` and draws the fields."""

    name: str  # in the address
    title: str
    lead: str
    form: type[SectionForm]
    template: str = "console/portal/section.html"


SECTIONS: dict[str, Section] = {}  # in the order of the menu


def add(section: Section) -> None:
    """Add the page of a section, and the action that saves it."""
    SECTIONS[section.name] = section

    def show(slug: str) -> ResponseReturnValue:
        """Show a section as the draft has it."""
        session = db.session()
        edited, draft = portal.open_draft(session)
        document = _document(edited, slug)
        shown = _document(portal.with_variables(edited, settings()), slug)
        form = section.form(formdata=None, data=section.form.read(shown))
        form.base.data = section.form.digest(document)
        return _page(section, slug, form, edited, draft)

    def save(slug: str) -> ResponseReturnValue:
        """Save a section into the draft."""
        session = db.session()
        portal.start_change(session)
        edited, draft = portal.open_draft(session)
        document, form = _document(edited, slug), section.form()
        digest = section.form.digest(document)
        shown = section.form.read(_document(portal.with_variables(edited, settings()), slug))
        for name in _by_field(form, _decided(edited, slug)):
            form[name].data = shown[name]  # a browser sends no field that nobody can change
        is_valid = form.validate()
        if form.base.data != digest:
            form.base.data = digest
            return _page(section, slug, form, edited, draft, problems=[CHANGED], status=409)
        if not is_valid:
            return _page(section, slug, form, edited, draft, status=422)
        changed = form.changed(document, decided=set(_decided(edited, slug)))
        try:
            profile = portal.load_changed(changed, before=document)
        except ValidationError as error:
            return _page(section, slug, form, edited, draft, problems=form.explain(error), status=422)
        profiles = {**edited.profiles, slug: profile}
        portal.save_draft(session, edited.model_copy(update={"profiles": profiles}), actor=actor())
        session.commit()
        flash("Saved in the draft. Visitors see it once you publish it.", "success")
        return redirect(request.full_path if request.args else request.path, 303)

    show.__name__, save.__name__ = f"show_{section.name}", f"save_{section.name}"
    rule = f"/portal/profiles/<slug>/{section.name}"
    pages.page(rule, role=Role.ADMIN)(show)
    pages.action(rule, role=Role.ADMIN)(save)


def _page(
    section: Section,
    slug: str,
    form: SectionForm,
    edited: portal.PortalSettings,
    draft: portal.PortalDraft | None,
    *,
    problems: list[str] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    page = render_template(
        section.template,
        page=section,
        sections=SECTIONS,
        slug=slug,
        edited=edited.profiles[slug],
        form=form,
        decided=_by_field(form, _decided(edited, slug)),
        problems=problems or [],
        draft=draft,
        language_names=NAMES,
    )
    return page, status


def _document(edited: portal.PortalSettings, slug: str) -> dict[str, Any]:
    if slug not in edited.profiles:
        raise NotFound("There is no such profile.")
    return edited.profiles[slug].model_dump(mode="json")


def _decided(edited: portal.PortalSettings, slug: str) -> dict[str, str]:
    """The variables that win, by place. They decide for the default profile alone."""
    return portal.variable_of(settings()) if slug == edited.default_profile else {}


def _by_field(form: SectionForm, decided: dict[str, str]) -> dict[str, str]:
    places = {name: ".".join(place) for name, place in form.PLACES.items()}
    return {name: decided[place] for name, place in places.items() if place in decided}
