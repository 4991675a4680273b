"""Giving links out, taking them back, and noting what persons do with them."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import apps, audit, customers, portal
from app.core.config import settings
from app.core.database import statements
from app.core.db import new_id, utcnow
from app.core.errors import Conflict, Invalid, NotFound
from app.onboarding.links import queries
from app.onboarding.links.models import OnboardingLink
from app.onboarding.models import BillingAccess, Signup
from app.web.addresses.urls import external

HANDOVER = "handover"  # the way of an access that a hand-over gave
NOTED_EVERY = timedelta(minutes=1)  # a double click, or two tabs, is one line of the story


def create(
    session: Session,
    customer: customers.Customer,
    *,
    actor: str,
    app: apps.App | None = None,
    profile: str | None = None,
    expires_at: datetime | None = None,
    token: str | None = None,
    return_url: str | None = None,
    return_label: str | None = None,
) -> tuple[OnboardingLink, str]:
    """Make a link for a customer, in an app and with a profile of the portal. `url` makes its address.

    Without an app, the link is for the profile's app, else for the default one. `profile` is a slug.
    Customers go on to `return_url` after saving.

    The token is given here and never again, unless a new one of the caller's is used.

    Other links of the customer go on working. Flushes. Raises PreconditionFailed for a deleted customer,
    Invalid for an end that lies in the past, and NotFound for an unknown profile.
    """
    customers.refuse_deleted(customer)
    now = utcnow()
    ends = expires_at or now + timedelta(days=settings().link_days)
    if ends <= now:
        raise Invalid("A link must expire in the future.", fields={"expires_at": "Choose a later day."})
    token = token or random_token()
    place = app or _app_of_profile(session, profile) or apps.default(session)
    link = OnboardingLink(
        id=new_id(),
        customer_id=customer.id,
        app_id=place.id if place else None,
        token_hash=queries.hash_of(token),
        created_by=actor,
        created_at=now,
        expires_at=ends,
        uses=0,
        profile=profile,
        return_url=return_url,
        return_label=return_label,
    )
    session.add(link)
    _note(session, link, "link.created", actor, expires_at=ends.isoformat(timespec="seconds"))
    session.flush()
    return link, token


def _app_of_profile(session: Session, profile: str | None) -> apps.App | None:
    app_id = portal.profile(profile).app_id
    return apps.find_successor(session, app_id) if app_id else None


def revoke(session: Session, link_id: str, *, actor: str) -> OnboardingLink:
    """Revoke a link, so that it and the browsers that opened it show nothing. Flushes.

    A hand-over for a known customer has a link, too. The access to the billing page that it gave ends.

    Locks its row, so a caller on SQLite has begun to write (`db.start_write`). Raises NotFound.
    """
    link = queries.get(session, link_id)
    if link.revoked_at is None:
        link.revoked_at = utcnow()
        _end_access(session, link)
        _note(session, link, "link.revoked", actor)
    session.flush()
    return link


def _end_access(session: Session, link: OnboardingLink) -> None:
    came = sa.select(Signup.browser_hash).where(Signup.link_id == link.id)
    statements.delete_all(
        session,
        BillingAccess,
        BillingAccess.customer_id == link.customer_id,
        BillingAccess.way == HANDOVER,
        BillingAccess.browser_hash.in_(came),
    )


def random_token() -> str:
    """A token that nobody can guess."""
    return secrets.token_urlsafe(32)


def token_of_form(key: str, form: str) -> str:
    """The token of the link that one form makes, however often it is sent. The key keeps it a secret."""
    return hmac.new(key.encode(), f"link:{form}".encode(), hashlib.sha256).hexdigest()


def renew(
    session: Session, link_id: str, *, actor: str, token: str | None = None
) -> tuple[OnboardingLink, str]:
    """Make a link that takes the place of another, which is revoked. Flushes; locks as `revoke` does.

    Raises NotFound, Conflict when that was done before, and PreconditionFailed for a deleted customer.
    """
    link = queries.get(session, link_id)
    if link.renewed_by is not None:
        raise Conflict("This link was already renewed. The newer one is in the list.")
    try:
        place = queries.app_of(session, link)
    except NotFound:  # its app is uninstalled
        place = None
    profile = link.profile if link.profile in portal.published().profiles else None
    made, token = create(
        session,
        link.customer,
        actor=actor,
        app=place,
        profile=profile,
        token=token,
        return_url=link.return_url,
        return_label=link.return_label,
    )
    revoke(session, link.id, actor=actor)
    link.renewed_by = made.id
    session.flush()
    return made, token


def url(token: str) -> str:
    """The address to send to the customer."""
    return external("onboarding.start", token=token)


def note_opened(session: Session, link_id: str) -> None:
    """Note that a person opened the page of a link, the first time only."""
    opened = session.scalar(
        sa.update(OnboardingLink)
        .where(OnboardingLink.id == link_id, OnboardingLink.opened_at.is_(None))
        .values(opened_at=utcnow())
        .returning(OnboardingLink)
    )
    if opened is not None:
        _note(session, opened, "link.opened", "visitor")


def note_used(session: Session, link_id: str) -> None:
    """Note that a person pressed the button of a link. Each press is counted; the audit log skips repeats."""
    note_opened(session, link_id)
    link, now = queries.get(session, link_id), utcnow()
    if link.last_used_at is None or now - link.last_used_at > NOTED_EVERY:
        _note(session, link, "link.used", "visitor")
    link.uses += 1
    link.used_at, link.last_used_at = link.used_at or now, now
    session.flush()


def _note(
    session: Session, link: OnboardingLink, kind: str, actor: str, *, expires_at: str | None = None
) -> None:
    audit.note(
        session,
        kind,
        actor=actor,
        customer_id=link.customer_id,
        app_id=link.app_id,
        link_id=link.id,
        expires_at=expires_at,
    )
