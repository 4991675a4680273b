"""Reads of onboarding links that are worth a name."""

import hashlib
from collections.abc import Collection

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session, joinedload

from app import apps
from app.core.db import is_id
from app.core.errors import NotFound
from app.onboarding.links.models import OnboardingLink
from app.onboarding.models import Signup

OF_CUSTOMER = (
    select(OnboardingLink)
    .where(OnboardingLink.customer_id == bindparam("customer_id"))
    .order_by(OnboardingLink.id.desc())
)


def hash_of(token: str) -> str:
    """The hash that is stored of a token. A token is long and random, so nobody can guess it back."""
    return hashlib.sha256(token.encode()).hexdigest()


def find(session: Session, token: str, *, lock: bool = False) -> OnboardingLink | None:
    """The link of a token with its customer, whether or not it still works.

    With `lock`, who revokes it waits until the commit.
    """
    query = (
        select(OnboardingLink)
        .where(OnboardingLink.token_hash == hash_of(token))
        .options(joinedload(OnboardingLink.customer, innerjoin=True))
        .execution_options(populate_existing=True)
    )
    return session.scalar(query.with_for_update(of=OnboardingLink) if lock else query)


def app_of(session: Session, link: OnboardingLink) -> apps.App:
    """The installed app to which a link leads: its own, or the one that took over its account and mode.

    A link that was made while no app was installed leads to the default one. Raises NotFound.
    """
    if link.app_id is None:
        return apps.find(session)
    return apps.find_successor(session, link.app_id)


def get(session: Session, link_id: str) -> OnboardingLink:
    """A link as the database has it now, locked for a change. Raises NotFound."""
    query = select(OnboardingLink).where(OnboardingLink.id == link_id).with_for_update()
    link = session.scalar(query.execution_options(populate_existing=True)) if is_id(link_id) else None
    if link is None:
        raise NotFound("There is no such link.")
    return link


def of_customer(session: Session, customer_id: str) -> list[OnboardingLink]:
    """The links of a customer, the newest first."""
    return list(session.scalars(OF_CUSTOMER, {"customer_id": customer_id}))


def newest_of(
    session: Session, customer_ids: Collection[str]
) -> dict[tuple[str, str | None], OnboardingLink]:
    """For many customers, by customer and app, the link that was made last."""
    found = session.scalars(
        select(OnboardingLink).where(OnboardingLink.customer_id.in_(customer_ids)).order_by(OnboardingLink.id)
    )
    return {(link.customer_id, link.app_id): link for link in found}


def profile_of(session: Session, customer_id: str) -> str | None:
    """Return the profile by which a customer signed up, else the one of a link that it came by."""
    return profiles_of(session, [customer_id]).get(customer_id)


def profiles_of(session: Session, customer_ids: Collection[str]) -> dict[str, str | None]:
    """Return the same for many customers. Those who neither signed up nor came by a link are left out."""
    order = (Signup.link_id.is_not(None), Signup.created_at.desc())
    place = func.row_number().over(partition_by=Signup.customer_id, order_by=order).label("place")
    signups = select(Signup.customer_id, Signup.profile, place).where(Signup.customer_id.in_(customer_ids))
    ranked = signups.subquery()
    first = select(ranked.c.customer_id, ranked.c.profile).where(ranked.c.place == 1)
    return dict(session.execute(first).all())
