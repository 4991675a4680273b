"""The real pages with the draft's settings, for admins. Nothing is stored, and no form can be sent."""

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale

from app import onboarding, portal
from app.console.portal.sections.section_page import pages
from app.core import db
from app.core.errors import NotFound
from app.operators import Role

POLICY_OF_PREVIEWS = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",  # no button sends anything
        "frame-ancestors 'none'",
    )
)


@pages.page("/portal/profiles/<slug>/preview/<name>", role=Role.ADMIN)
def preview(slug: str, name: str) -> ResponseReturnValue:
    """Show a page as the draft has it, in a language of the profile."""
    if name not in onboarding.PREVIEWS:
        raise NotFound("There is no such preview.")
    profile = portal.show_draft(portal.edited(db.session()), slug)
    named = request.args.get("language", "")
    with force_locale(named if named in profile.languages else profile.default_language):
        response = make_response(onboarding.PREVIEWS[name]())
    response.headers["Content-Security-Policy"] = POLICY_OF_PREVIEWS
    return response


@pages.page("/portal/profiles/<slug>/preview/<name>/<version>", role=Role.ADMIN)
def asset(slug: str, name: str, version: str) -> Response:  # noqa: ARG001 (a new address for new content)
    """Serve a file of the draft's brand."""
    portal.show_draft(portal.edited(db.session()), slug)
    return portal.asset(name)
