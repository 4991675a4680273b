"""The settings of the portal: profiles, the draft, and the latest versions."""

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from app import portal
from app.console.common import actors, profile_apps
from app.console.portal import changes, preview_page  # noqa: F401 (views)
from app.console.portal.forms import ProfileForm
from app.console.portal.sections import menu as sections  # noqa: F401 (views)
from app.console.portal.sections.section_page import SECTIONS, pages
from app.core import db
from app.core.config import settings
from app.core.errors import Conflict, NotFound
from app.operators import Role, actor
from app.web.addresses.urls import external

MAX_LISTED = 20


@pages.page("/portal", role=Role.ADMIN)
def page() -> ResponseReturnValue:
    """The profiles, what a draft would change, and the latest versions."""
    return _page(db.session(), ProfileForm(formdata=None))


@pages.action("/portal/profiles", role=Role.ADMIN)
def add_profile() -> ResponseReturnValue:
    """Add a profile to the draft: a copy of the default one."""
    session, form = db.session(), ProfileForm()
    portal.start_change(session)
    edited = portal.edited(session)
    if not form.validate():
        return _page(session, form, 422)
    if form.slug.data in edited.profiles:
        form.slug.errors = ["A profile with this address already exists."]
        return _page(session, form, 422)
    if len(edited.profiles) >= portal.MAX_PROFILES:
        form.slug.errors = [
            f"There are {portal.MAX_PROFILES} profiles, which is the maximum. Delete one first."
        ]
        return _page(session, form, 422)
    made = edited.default.model_copy(update={"name": form.name.data})
    _save(session, edited, {**edited.profiles, form.slug.data: made})
    flash(f"{made.name} is in the draft. Give it a brand, then publish it.", "success")
    return redirect(url_for("console_portal.show_brand", slug=form.slug.data), 303)


@pages.action("/portal/profiles/<slug>/delete", role=Role.ADMIN)
def delete_profile(slug: str) -> ResponseReturnValue:
    """Delete a profile in the draft. Its customers then see the default one."""
    session = db.session()
    portal.start_change(session)
    edited = portal.edited(session)
    _refuse_unknown(edited, slug)
    if slug == edited.default_profile:
        flash("The default profile can't be deleted. Make another one the default first.", "error")
    else:
        _save(session, edited, {name: one for name, one in edited.profiles.items() if name != slug})
        flash("Deleted in the draft. Visitors see the change once you publish it.", "success")
    return _back()


@pages.action("/portal/profiles/<slug>/default", role=Role.ADMIN)
def make_default(slug: str) -> ResponseReturnValue:
    """Make a profile the default one, in the draft."""
    session = db.session()
    portal.start_change(session)
    edited = portal.edited(session)
    _refuse_unknown(edited, slug)
    portal.save_draft(session, edited.model_copy(update={"default_profile": slug}), actor=actor())
    session.commit()
    flash("Changed in the draft. Visitors see it once you publish it.", "success")
    return _back()


@pages.action("/portal/publish", role=Role.ADMIN)
def publish() -> ResponseReturnValue:
    """Publish the draft."""
    session = db.session()
    portal.start_change(session)
    try:
        version = portal.publish_draft(session, revision=request.form.get("revision", 0, int), actor=actor())
    except (Conflict, NotFound) as error:
        session.rollback()
        flash(error.detail, "error")
        return _back()
    session.commit()
    flash(f"Version {version.id} is published. Every process shows it within two seconds.", "success")
    return _back()


@pages.action("/portal/discard", role=Role.ADMIN)
def discard() -> ResponseReturnValue:
    """Forget the draft."""
    session = db.session()
    portal.start_change(session)
    portal.discard_draft(session, actor=actor())
    session.commit()
    flash("Draft discarded. Nothing changed for visitors.", "info")
    return _back()


@pages.action("/portal/keep", role=Role.ADMIN)
def keep() -> ResponseReturnValue:
    """Keep the draft, although other settings were published meanwhile."""
    session = db.session()
    portal.start_change(session)
    portal.keep_draft(session, actor=actor())
    session.commit()
    flash("The draft is kept. Look at the differences before you publish it.", "info")
    return _back()


@pages.action("/portal/versions/<int:number>/restore", role=Role.ADMIN)
def restore(number: int) -> ResponseReturnValue:
    """Go back to an earlier version."""
    session = db.session()
    portal.start_change(session)
    version = portal.restore(session, number, actor=actor())
    session.commit()
    flash(f"Version {number} is in force again, as version {version.id}.", "success")
    return _back()


@pages.page("/portal/export", role=Role.ADMIN)
def export() -> ResponseReturnValue:
    """The published settings as a file, for version control."""
    body = portal.dump(portal.stored(db.session()))
    headers = {"Content-Disposition": "attachment; filename=portal.json"}
    return Response(body, mimetype="application/json", headers=headers)


def _page(session: Session, form: ProfileForm, status: int = 200) -> ResponseReturnValue:
    edited, draft = portal.open_draft(session)
    stored, versions = portal.stored(session), portal.versions(session, MAX_LISTED)
    page = render_template(
        "console/portal/page.html",
        form=form,
        edited=edited,
        published=stored.profiles,
        draft=draft,
        is_overtaken=draft is not None and portal.is_overtaken(session, draft),
        changes=changes.of_draft(stored, edited) if draft else [],
        versions=versions,
        names=actors.names(session, [*(one.actor for one in versions), *([draft.actor] if draft else [])]),
        decided=sorted(set(portal.variable_of(settings()).values())),
        first_section=next(iter(SECTIONS)),
        apps=profile_apps.names(session, edited),
        public_url=external("onboarding.form"),
    )
    return page, status


def _refuse_unknown(edited: portal.PortalSettings, slug: str) -> None:
    if slug not in edited.profiles:
        raise NotFound("There is no such profile.")


def _save(session: Session, edited: portal.PortalSettings, profiles: dict[str, portal.Profile]) -> None:
    made = {name: one.model_dump(mode="json") for name, one in profiles.items()}
    # The other parts are stored already, and newer rules must not refuse those.
    changed = portal.load_stored({**edited.model_dump(mode="json"), "profiles": made})
    portal.save_draft(session, changed, actor=actor())
    session.commit()


def _back() -> ResponseReturnValue:
    return redirect(url_for("console_portal.page"), 303)
