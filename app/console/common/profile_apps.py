"""The Stripe accounts that profiles of the portal lead to."""

from contextlib import suppress

from sqlalchemy.orm import Session

from app import apps, portal
from app.core.errors import NotFound


def names(session: Session, settings: portal.PortalSettings) -> dict[str, str]:
    """Return the name of the app behind each app id that a profile names. Ids without an app are left out."""
    found: dict[str, str] = {}
    for app_id in {profile.app_id for profile in settings.profiles.values() if profile.app_id}:
        with suppress(NotFound):
            found[app_id] = apps.find_successor(session, app_id).name
    return found
