"""What a visitor's request is about: its browser, its Stripe app, and the address of the outcome."""

import secrets
from contextlib import suppress

from flask import request, url_for
from flask import session as cookie
from sqlalchemy.orm import Session

from app import apps, payers, portal
from app.core.db import is_id
from app.core.errors import NotFound


def name_browser() -> str:
    """Return the nonce that identifies this browser. Create it when there is none."""
    cookie.permanent = True
    return str(cookie.setdefault("browser", secrets.token_urlsafe(24)))


def requested_app(session: Session) -> apps.App:
    """The app that the address or form names, else the profile's. Raises NotFound when there is none."""
    named = request.values.get("app", "").upper()
    if is_id(named):
        with suppress(NotFound):  # it may be uninstalled
            found = apps.find(session, named)
            portal.show_app(found.id)
            return found
    return app_of_profile(session)


def app_of_profile(session: Session, default: apps.App | None = None) -> apps.App:
    """Return the app of this request's profile, else the default one. Raises NotFound when there is none.

    `default` is the default app, if the caller has read it already.
    """
    app_id = portal.current_profile().app_id
    if app_id and (default is None or default.id != app_id):
        return apps.find_successor(session, app_id)
    return default or apps.find(session)


def requested_payer(session: Session, customer_id: str) -> payers.Payer | None:
    """The payer of a customer in the app that the address or form names; None also without an app."""
    try:
        return payers.of_customer(session, requested_app(session).id, customer_id)
    except NotFound:
        return None


def name_in_url(app: apps.App) -> str | None:
    """What an address says about an app: nothing for the default one, unless another profile has its own."""
    is_only = not any(profile.app_id for profile in portal.published().profiles.values())
    return None if app.is_default and is_only else app.id


def outcome_url(customer_id: str, **more: str | int | None) -> str:
    """The address of a customer's status page, in the app that this address or form names."""
    named = request.values.get("app", "")
    place = named if is_id(named.upper()) else None
    return str(url_for("onboarding.done", customer=customer_id, app=place, **more))  # type: ignore[arg-type]
