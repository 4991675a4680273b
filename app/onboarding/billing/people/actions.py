"""The people of a customer: each is invited, gets access by an invitation or a code, and can be removed."""

import hashlib
import secrets
from datetime import timedelta

import sqlalchemy as sa
from limits import parse_many
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, customers
from app.core.addresses import folded_email, is_email_address
from app.core.config import settings
from app.core.db import is_id, utcnow
from app.core.errors import Conflict, Invalid, NotFound
from app.onboarding import links
from app.onboarding.billing.access import end_access, find, let_in
from app.onboarding.billing.models import Way
from app.onboarding.browsers.renewal import JUST_NOW, Entered, renew, renewed
from app.onboarding.models import BillingAccess, BillingPerson
from app.web import limits
from app.web.addresses.urls import external

MAX_PEOPLE = 50  # of one customer
BUDGET_OF_CUSTOMER = "60 per hour"
BUDGET_OF_ADDRESS = "5 per hour"  # that any customer invites
OF_CUSTOMER = (
    sa.select(BillingPerson)
    .where(BillingPerson.customer_id == sa.bindparam("customer_id"), BillingPerson.removed_at.is_(None))
    .order_by(BillingPerson.id)
)


class PersonKnown(Conflict):
    """The address was invited already."""


class TooManyPeople(Conflict):
    """A customer can't have more people."""


def people_of(session: Session, customer_id: str) -> list[BillingPerson]:
    """Return the people who were invited and not removed, the oldest first."""
    return list(session.scalars(OF_CUSTOMER, {"customer_id": customer_id}))


def invite(
    session: Session, customer: customers.Customer, email: str, *, actor: str
) -> tuple[BillingPerson, str]:
    """Invite an address to a customer's billing page. Return the person and the token of the link. Flushes.

    An invitation that was not used is replaced by a new one. Raises Invalid for what is no email address,
    PreconditionFailed for a deleted customer, PersonKnown for somebody who has joined, and TooManyPeople.
    """
    session.refresh(customer, with_for_update=customers.FOR_CHANGE)  # two at once must not be one too many
    customers.refuse_deleted(customer)
    address, token, now = _read_address(email), secrets.token_urlsafe(32), utcnow()
    held = people_of(session, customer.id)
    person = next((each for each in held if each.email == address), None)
    if person is not None and person.joined_at is not None:
        raise PersonKnown("This person has already joined.")
    if person is None and len(held) >= MAX_PEOPLE:
        raise TooManyPeople("There are too many people. Remove somebody first.")
    if person is None:
        person = BillingPerson(customer_id=customer.id, email=address, created_at=now)
        session.add(person)
    person.token_hash, person.invited_by = _hash(token), actor
    person.expires_at = now + timedelta(days=settings().link_days)
    try:
        session.flush()
    except IntegrityError as error:  # another tab was quicker
        session.rollback()
        raise PersonKnown("This person was invited just now.") from error
    _note(session, person, "person.invited", actor)
    return person, token


def spend_invitation(customer_id: str, email: str) -> None:
    """Count an invitation by a visitor, because it may send email. Raises TooMany."""
    budgets = ((BUDGET_OF_CUSTOMER, customer_id), (BUDGET_OF_ADDRESS, _hash(folded_email(email))))
    limits.current().spend_items(
        [(item, ("invitation", name)) for budget, name in budgets for item in parse_many(budget)]
    )


def find_invitation(session: Session, token: str) -> BillingPerson | None:
    """Return the person of an invitation that still works."""
    person = session.scalar(
        sa.select(BillingPerson)
        .where(BillingPerson.token_hash == _hash(token))
        .execution_options(populate_existing=True)
    )
    is_open = person is not None and person.joined_at is None and person.removed_at is None
    return person if is_open and person is not None and person.expires_at > utcnow() else None


def accept(session: Session, token: str, *, browser: str) -> Entered | None:
    """Let the first browser in that uses an invitation, also by a double click. None if it is over. Flushes.

    A browser that has access already keeps it. The invitation then stays open.
    """
    now, token_hash = utcnow(), _hash(token)
    name = renewed(browser, token_hash)
    invited = find_invitation(session, token)
    held = find(session, browser, invited.customer_id) if invited else None
    if held is not None and not held.is_guest:
        return Entered(held.customer.id, browser)
    person = session.scalar(
        sa.update(BillingPerson)
        .where(
            BillingPerson.token_hash == token_hash,
            BillingPerson.joined_at.is_(None),
            BillingPerson.removed_at.is_(None),
            BillingPerson.expires_at > now,
        )
        .values(joined_at=now)
        .returning(BillingPerson)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    if person is None:
        return _again(session, token_hash, name)
    customer = session.get(customers.Customer, person.customer_id)
    if customer is None or customer.deleted_at is not None:
        return None
    renew(session, browser, token_hash)
    profile = links.profile_of(session, person.customer_id)
    let_in(session, person.customer_id, name, way=Way.INVITATION, profile=profile, person_id=person.id)
    return Entered(person.customer_id, name)


def _again(session: Session, token_hash: str, name: str) -> Entered | None:
    """Let a browser in that has just used an invitation: its first answer may have been lost."""
    customer_id = session.scalar(
        sa.select(BillingPerson.customer_id).where(
            BillingPerson.token_hash == token_hash, BillingPerson.joined_at > utcnow() - JUST_NOW
        )
    )
    held = find(session, name, customer_id) if customer_id else None
    return Entered(held.customer.id, name) if held else None


def remove_person(session: Session, customer_id: str, person_id: str, *, actor: str) -> None:
    """Remove a person; their browsers see nothing from the next request on. Harmless to repeat. Flushes.

    Raises NotFound for a person of another customer.
    """
    person = session.get(BillingPerson, person_id, populate_existing=True) if is_id(person_id) else None
    if person is None or person.customer_id != customer_id:
        raise NotFound("There is no such person.")
    if person.removed_at is not None:
        return
    person.removed_at = utcnow()
    end_access(session, BillingAccess.person_id == person.id)
    _note(session, person, "person.removed", actor)
    session.flush()


def invitation_url(token: str) -> str:
    """Return the address to send to an invited person."""
    return external("billing.invitation", token=token)


def _read_address(email: str) -> str:
    """Return an address as it is stored. Raises Invalid."""
    address = folded_email(email)
    if not is_email_address(address):
        words = "Enter an email address, such as name@example.com."
        raise Invalid(words, fields={"email": words})
    return address


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _note(session: Session, person: BillingPerson, kind: str, actor: str) -> None:
    audit.note(session, kind, actor=actor, customer_id=person.customer_id, person_id=person.id)
