"""`GANGWAY_*` variables that exist beside a setting of the portal: where one is set, it wins.

A variable can name one value only, so it decides for the default profile. Other profiles are other brands.
"""

from collections.abc import Mapping

from app.core.config import Settings
from app.core.environment import PREFIX
from app.portal.places import Place, put_at
from app.portal.sections.kinds import STORED
from app.portal.settings import PortalSettings, Profile

# The setting of a variable, and its place in a profile.
PLACES: dict[str, Place] = {
    "company_name": ("brand", "company_name"),
    "accent_color": ("brand", "accent_color"),
    "support_email": ("links", "support_email"),
    "terms_url": ("links", "terms_url"),
    "default_currency": ("form", "default_currency"),
    "signup_subject_keys": ("form", "fields", "subject_keys"),
    "payment_method_policy": ("payment_method_policy",),
}


def variable_of(settings: Settings) -> dict[str, str]:
    """Return the variables that win, by the place that each decides, such as `brand.company_name`."""
    found = {".".join(PLACES[name]): f"{PREFIX}{name.upper()}" for name in _winning(settings)}
    if settings.logo_file is not None:
        found["brand.logo"] = f"{PREFIX}LOGO_FILE"
    return found


def with_variables(portal: PortalSettings, settings: Settings) -> PortalSettings:
    """Return the settings with what the variables decide for the default profile."""
    values = {PLACES[name]: getattr(settings, name) for name in _winning(settings)}
    if not values:
        return portal
    document = portal.default.model_dump()
    for place, value in values.items():
        put_at(document, place, value)
    changed = Profile.model_validate(document, context=STORED)
    return portal.model_copy(update={"profiles": {**portal.profiles, portal.default_profile: changed}})


def _winning(settings: Settings) -> list[str]:
    is_set: Mapping[str, bool] = {
        name: name in settings.model_fields_set and getattr(settings, name) is not None for name in PLACES
    }
    return [name for name, wins in is_set.items() if wins]
