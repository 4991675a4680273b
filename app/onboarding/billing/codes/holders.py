"""The customers that an email address gives access to."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app import customers, portal
from app.core.addresses import folded_email
from app.core.values import frozen
from app.onboarding import links
from app.onboarding.models import BillingPerson

MAX_CUSTOMERS = 20  # that one address opens


@frozen
class Holder:
    """A customer that an address opens, as its first person or as an invited one."""

    customer_id: str
    email: str  # as it is stored
    person_id: str | None
    profile: str | None = None  # by which the customer came; None: the default one


def holders_of(session: Session, address: str, asked_for: str | None = None) -> list[Holder]:
    """Return the live customers that an address opens, the newest first: as first person, then as invited.

    Those of the profile that was asked for come before all others. There are none of a profile that wants no
    codes.
    """
    address = folded_email(address)
    found: dict[str, Holder] = {}
    for holder in (*_first_persons(session, address), *_invited(session, address)):
        found.setdefault(holder.customer_id, holder)
    profiles = links.profiles_of(session, found)
    placed = [replace(each, profile=profiles.get(each.customer_id)) for each in found.values()]
    published = portal.published()
    allowed = [each for each in placed if published.profile_of(each.profile).billing.codes]
    allowed.sort(key=lambda each: published.slug_of(each.profile) != asked_for)
    return allowed[:MAX_CUSTOMERS]


def locked_holders(session: Session, address: str, asked_for: str | None) -> list[Holder]:
    """Return the same, and keep it so until the commit.

    A change of the address waits, and then ends the access. So does a second use of the code: with locks that
    two may share, each would wait for the other to write that the person has joined.
    """
    found = holders_of(session, address)
    for model, ids in (
        (customers.Customer, [holder.customer_id for holder in found]),
        (BillingPerson, [holder.person_id for holder in found if holder.person_id]),
    ):
        which = sa.select(model.id).where(model.id.in_(ids)).order_by(model.id)
        session.execute(which.with_for_update(**customers.FOR_CHANGE))
    return holders_of(session, address, asked_for)


def _first_persons(session: Session, address: str) -> list[Holder]:
    customer = customers.Customer
    own = session.execute(
        sa.select(customer.id, customer.primary_email, customer.adopted)
        .where(customers.has_email(session, address), customer.deleted_at.is_(None))
        .order_by(customer.id.desc())
        .limit(MAX_CUSTOMERS)
    ).all()
    return [
        Holder(id_, email or "", None)
        for id_, email, adopted in own
        # Somebody who came by a forwarded link may have typed an address on Stripe's page. It opens nothing.
        if folded_email(email or "") == address and "primary_email" not in (adopted or ())
    ]


def _invited(session: Session, address: str) -> list[Holder]:
    customer = customers.Customer
    invited = session.execute(
        sa.select(customer.id, BillingPerson.email, BillingPerson.id)
        .join(BillingPerson, BillingPerson.customer_id == customer.id)
        .where(
            BillingPerson.email == address,
            BillingPerson.removed_at.is_(None),
            customer.deleted_at.is_(None),
        )
        .order_by(customer.id.desc())
        .limit(MAX_CUSTOMERS)
    ).all()
    return [Holder(*row) for row in invited]
