"""What the product owner decides: profiles with brand, texts, languages, form and policies, in versions."""

from flask import Flask

from app.portal import brand
from app.portal.actions import publish
from app.portal.cache import PublishedSettings, published
from app.portal.current import current_profile, current_slug, profile, use_profile
from app.portal.models import PortalDraft, PortalVersion
from app.portal.sections.brand import Brand, Image, Links
from app.portal.sections.form import Consent, CustomField, Form
from app.portal.sections.payment import AfterSaving, BillingPolicy, CheckoutOptions
from app.portal.settings import LANGUAGES, PortalSettings, Profile

__all__ = [
    "LANGUAGES",
    "AfterSaving",
    "BillingPolicy",
    "Brand",
    "CheckoutOptions",
    "Consent",
    "CustomField",
    "Form",
    "Image",
    "Links",
    "PortalDraft",
    "PortalSettings",
    "PortalVersion",
    "Profile",
    "PublishedSettings",
    "current_profile",
    "current_slug",
    "init_app",
    "profile",
    "publish",
    "published",
    "use_profile",
]


def init_app(app: Flask) -> None:
    """Hold the settings in memory, and let every template know the profile of the request."""
    app.extensions["gangway.portal"] = PublishedSettings()
    brand.init_app(app)
