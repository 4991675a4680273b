"""Making and changing customers."""

from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import journal
from app.customers import queries
from app.customers.models import Customer, SubjectKey
from app.db import new_id
from app.errors import Conflict


class CustomerTaken(Conflict):
    """Another customer holds the key or a subject key; `holders` has the ids of those that are known."""

    def __init__(self, detail: str, holders: set[str]) -> None:
        super().__init__(detail)
        self.holders = holders


@dataclass(frozen=True, kw_only=True)
class NewCustomer:
    """What is wanted of a customer. The id is settled beforehand, so that a repeat wants the same one."""

    id: str = field(default_factory=new_id)
    name: str
    key: str | None = None
    subject_keys: tuple[str, ...] = ()
    primary_email: str | None = None
    currency: str | None = None


def create(session: Session, wanted: NewCustomer, *, actor: str) -> Customer:
    """Add a customer. Raises CustomerTaken and leaves the transaction rolled back. Flushes.

    The unique indexes decide about keys and about subject keys, each among themselves. That a key is no
    one's subject key is checked by reading: had the other been created a moment later it would be
    allowed, so a race ends as one of the two orders would have.
    """
    refuse_taken(session, wanted)
    customer = Customer(id=wanted.id)
    _fill(customer, wanted)
    session.add(customer)
    journal.note(session, "customer.created", actor=actor, customer_id=customer.id)
    _flush(session, wanted)
    return customer


def replace(session: Session, customer: Customer, wanted: NewCustomer, *, actor: str) -> None:
    """Give a customer new details, all of them. Raises CustomerTaken as create does. Flushes."""
    refuse_taken(session, wanted)
    _fill(customer, wanted)
    journal.note(session, "customer.updated", actor=actor, customer_id=customer.id)
    _flush(session, wanted)


def refuse_taken(session: Session, wanted: NewCustomer) -> None:
    """Raise CustomerTaken when another live customer holds one of the wanted names."""
    holders = queries.holders(session, key=wanted.key, subject_keys=wanted.subject_keys) - {wanted.id}
    if holders:
        session.rollback()
        raise CustomerTaken("Another customer has this key or one of these subject keys.", holders)


def is_same(customer: Customer, wanted: NewCustomer) -> bool:
    """Does a customer already have the wanted details?"""
    return (
        customer.name == wanted.name
        and customer.key == wanted.key
        and customer.primary_email == wanted.primary_email
        and customer.currency == wanted.currency
        and customer.subject_keys == sorted(wanted.subject_keys)
    )


def _fill(customer: Customer, wanted: NewCustomer) -> None:
    customer.name = wanted.name
    customer.key = wanted.key
    customer.primary_email = wanted.primary_email
    customer.currency = wanted.currency
    kept = {subject.key: subject for subject in customer.subjects}
    customer.subjects = [kept.get(key) or SubjectKey(key=key) for key in wanted.subject_keys]


def _flush(session: Session, wanted: NewCustomer) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        session.rollback()
        raise CustomerTaken(
            "Another customer has this key or one of these subject keys.",
            queries.holders(session, key=wanted.key, subject_keys=wanted.subject_keys),
        ) from error
