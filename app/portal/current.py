"""The profile of the current request."""

from flask import g, has_request_context

from app.core.config import settings as current_settings
from app.core.errors import NotFound
from app.portal.cache import held, published
from app.portal.settings import PortalSettings, Profile
from app.portal.variables import with_variables
from app.web import languages


def profile(slug: str | None = None) -> Profile:
    """Return a published profile, or the default one for None. Raises NotFound for an unknown slug."""
    settings = published()
    if slug is None:
        return settings.default
    if slug not in settings.profiles:
        raise NotFound("There is no such page. Check the address, or ask for a new link.")
    return settings.profiles[slug]


def use_profile(slug: str | None) -> Profile:
    """Make this the profile of the current request. A profile that was deleted gives way to the default."""
    settings = published()
    g.portal_slug = slug if slug in settings.profiles else None
    g.portal_profile = found = settings.profile_of(slug)
    languages.offer(found.languages)
    return found


def show_draft(settings: PortalSettings, slug: str) -> Profile:
    """Let this request show a profile as the draft has it. Raises NotFound."""
    shown = with_variables(settings, current_settings())
    if slug not in shown.profiles:
        raise NotFound("There is no such profile.")
    g.portal_profile, g.portal_slug, g.portal_is_draft = shown.profiles[slug], slug, True
    languages.offer(g.portal_profile.languages)
    return current_profile()


def is_draft() -> bool:
    """Does this request show a draft?"""
    return bool(has_request_context() and g.get("portal_is_draft"))


def current_profile() -> Profile:
    """Return the profile of this request, else the default one."""
    found = g.get("portal_profile") if has_request_context() else None
    return found if isinstance(found, Profile) else published().default


def show_app(app_id: str | None) -> None:
    """Note that this request is about an app that may be another than the profile's."""
    g.portal_app_id = app_id


def is_test_mode() -> bool:
    """Is this request about a Stripe app in test mode? It is the profile's, if the request named no other.

    Asks no database.
    """
    named = g.get("portal_app_id") if has_request_context() else None
    return held().is_live(current_settings(), named or current_profile().app_id) is False


def has_several_apps() -> bool:
    """Was more than one Stripe app ever installed? Asks no database."""
    return held().count_apps(current_settings()) > 1


def current_slug() -> str | None:
    """Return the slug by which this request names its profile; None for the default one."""
    return g.get("portal_slug") if has_request_context() else None
