"""What the product owner decides: profiles with brand, texts, languages, form and policies, in versions."""

from flask import Flask

from app.portal.actions import publish
from app.portal.appearance import brand
from app.portal.appearance.brand import asset, files
from app.portal.cache import PublishedSettings, published
from app.portal.current import (
    current_profile,
    current_slug,
    has_several_apps,
    is_draft,
    is_test_mode,
    profile,
    show_app,
    show_draft,
    use_profile,
)
from app.portal.differences import differences
from app.portal.document import dump, load
from app.portal.drafts import (
    discard_draft,
    edited,
    is_overtaken,
    keep_draft,
    open_draft,
    publish_draft,
    restore,
    save_draft,
)
from app.portal.models import PortalDraft, PortalVersion
from app.portal.places import Place, put_at, value_at
from app.portal.queries import start_change, stored, versions
from app.portal.sections.brand import Brand, Links
from app.portal.sections.form import Consent, CustomField, Form, question_name
from app.portal.sections.kinds import SLUG_PATTERN
from app.portal.sections.logo import Image
from app.portal.sections.payment import AfterSaving, CheckoutOptions
from app.portal.settings import LANGUAGES, MAX_PROFILES, PortalSettings, Profile, load_changed, load_stored
from app.portal.texts import TEXTS
from app.portal.variables import variable_of, with_variables

__all__ = [
    "LANGUAGES",
    "MAX_PROFILES",
    "SLUG_PATTERN",
    "TEXTS",
    "AfterSaving",
    "Brand",
    "CheckoutOptions",
    "Consent",
    "CustomField",
    "Form",
    "Image",
    "Links",
    "Place",
    "PortalDraft",
    "PortalSettings",
    "PortalVersion",
    "Profile",
    "PublishedSettings",
    "asset",
    "current_profile",
    "current_slug",
    "differences",
    "discard_draft",
    "dump",
    "edited",
    "files",
    "has_several_apps",
    "init_app",
    "is_draft",
    "is_overtaken",
    "is_test_mode",
    "keep_draft",
    "load",
    "load_changed",
    "load_stored",
    "open_draft",
    "profile",
    "publish",
    "publish_draft",
    "published",
    "put_at",
    "question_name",
    "restore",
    "save_draft",
    "show_app",
    "show_draft",
    "start_change",
    "stored",
    "use_profile",
    "value_at",
    "variable_of",
    "versions",
    "with_variables",
]


def init_app(app: Flask) -> None:
    """Hold the settings in memory, and let every template know the profile of the request."""
    app.extensions["gangway.portal"] = PublishedSettings()
    brand.init_app(app)
