"""Which profile shows a customer in one Stripe account: an account belongs to a brand or a legal entity."""

from flask import request
from sqlalchemy.orm import Session

from app import apps, checkout, portal
from app.onboarding.browsers.visit import requested_payer
from app.payers import Payer


def use_profile(session: Session, customer_id: str, own: str | None) -> None:
    """Show the page in the profile of the account that the address names, else in the customer's own one."""
    portal.use_profile(own)
    payer = requested_payer(session, customer_id) if request.values.get("app") else None
    if payer is not None:
        portal.use_profile(slug_of(session, payer, own))


def slug_of(session: Session, payer: Payer, own: str | None) -> str | None:
    """Return the profile of a payer's account. `own` is the slug of the customer's own profile.

    That one stays, if the account is its own. Else it is the profile in which the customer was led to Stripe
    last, or another one of this account. An account of no profile changes nothing.
    """
    published = portal.published()
    own_slug = published.slug_of(own)
    if _leads_to(published.profiles[own_slug], payer.app, {payer.app_id}):
        return own
    same = apps.same_account(session, payer.app)
    fit = [slug for slug, each in published.profiles.items() if _leads_to(each, payer.app, same)]
    latest = checkout.latest(session, payer)
    if latest is not None and latest.profile in published.profiles:
        fit.insert(0, str(latest.profile))
    wishes = (own_slug, latest.profile if latest else None, published.default_profile)
    return next((slug for slug in wishes if slug in fit), next(iter(fit), own))


def _leads_to(profile: portal.Profile, app: apps.App, same: set[str]) -> bool:
    """Does a profile lead to an app? `same` has the ids of the apps that this one took over, and its own."""
    return app.is_default if profile.app_id is None else profile.app_id in same
