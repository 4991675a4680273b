"""Makes and changes customers."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from dataclasses import replace as replace_fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit
from app.core import db
from app.core.database import rows
from app.core.db import utcnow
from app.core.errors import Conflict, PreconditionFailed
from app.customers import queries, search
from app.customers.details import ADOPTABLE, NewCustomer, details_of, with_adopted
from app.customers.former_email import report, trusted_email
from app.customers.models import APPROVED, DECLINED, NOT_APPROVED, WAITING, Customer, SubjectKey

TAKEN = "another customer has this key or one of these subject keys"


class CustomerTaken(Conflict):
    """Another customer holds the key or a subject key; `holders` has the ids of those that are known."""

    def __init__(self, detail: str, holders: set[str]) -> None:
        super().__init__(detail)
        self.holders = holders


def create(session: Session, wanted: NewCustomer, *, actor: str) -> Customer:
    """Add a customer. Raises CustomerTaken and leaves the transaction rolled back. Flushes.

    The unique indexes decide about keys and about subject keys, each among themselves. The insert's condition
    is that no customer has the key as a subject key. A subject key may equal an existing key, so a race ends
    like one of the two orders.
    """
    refuse_double(wanted)
    now = utcnow()
    customer = Customer(id=wanted.id, created_at=now, updated_at=now)
    _fill(customer, wanted)
    for subject in customer.subjects:
        subject.customer_id = customer.id
    if not rows.insert_if(
        session, customer, queries.are_free(key=wanted.key, subject_keys=wanted.subject_keys)
    ):
        raise _taken(session, wanted)
    audit.note(session, "customer.created", actor=actor, customer_id=customer.id)
    _flush(session, wanted)
    queries.count_one(session, 1)
    return customer


def replace(session: Session, customer: Customer, wanted: NewCustomer, *, actor: str) -> None:
    """Replace all details of a customer. Raises CustomerTaken as `create` does. Flushes."""
    refuse_taken(session, wanted, held=customer.key)
    changed, former = differences(customer, wanted), trusted_email(customer)
    if changed:
        customer.updated_at = utcnow()  # by hand: new subject keys alone touch no column of this row
    _fill(customer, wanted)
    told = ", ".join(changed) or None  # which fields, and not what they say
    audit.note(session, "customer.updated", actor=actor, customer_id=customer.id, changed=told)
    _flush(session, wanted)
    report(session, customer, former, actor=actor)


def adopt(
    session: Session,
    customer: Customer,
    parts: Mapping[str, Any],
    *,
    actor: str,
    app_id: str,
    is_unasked: bool,
) -> None:
    """Give a locked customer values that Stripe has: its name, or parts of ADOPTABLE.

    What was filled unasked is remembered as such, and stays so with a later value of Stripe's. Does not
    flush, unless another email address takes the place of one.
    """
    former = trusted_email(customer)
    unasked = {*(customer.adopted or ()), *(parts if is_unasked else ())}
    customer.updated_at = utcnow()
    _fill(customer, details_of(customer).with_parts(parts))
    customer.adopted = [name for name in ADOPTABLE if name in unasked] or None
    told = ", ".join(sorted(parts))
    audit.note(session, "customer.adopted", actor=actor, customer_id=customer.id, app_id=app_id, changed=told)
    report(session, customer, former, actor=actor)


def lock(session: Session, customer_id: str, fields: Collection[str], *, made_at: datetime | None) -> None:
    """Lock a customer, and close these fields of its form to browsers from now on.

    `made_at` is when somebody said so. What was said later than all before unlocks the other fields. What is
    older, or of an unknown age (None), unlocks none. The customer counts as unchanged: its time stays.
    """
    held, held_at = session.execute(
        sa.select(Customer.locked, Customer.locked_at)
        .where(Customer.id == customer_id)
        .with_for_update(**queries.FOR_CHANGE)
    ).one()
    said_at = made_at or utcnow()
    is_newest = made_at is not None and held_at is not None and made_at > held_at
    session.execute(
        sa.update(Customer)
        .where(Customer.id == customer_id)
        .values(
            locked=sorted({*fields, *(() if is_newest else held or ())}) or None,
            locked_at=max(said_at, held_at or said_at),
            updated_at=Customer.updated_at,
        )
    )


def refuse_taken(session: Session, wanted: NewCustomer, *, held: str | None = None) -> None:
    """Raise CustomerTaken when another live customer holds one of the wanted names.

    A key that is held already stays: somebody may have taken it as a subject key since, which is allowed.
    """
    refuse_double(wanted)
    key = wanted.key if wanted.key != held else None
    holders = queries.holders(session, key=key, subject_keys=wanted.subject_keys) - {wanted.id}
    if holders:
        session.rollback()
        raise CustomerTaken(TAKEN, holders)


def create_or_match(session: Session, wanted: NewCustomer, *, actor: str) -> Customer:
    """Return the live customer that has exactly these details, and create it if there is none. Flushes.

    Raises CustomerTaken when the key, or without one a subject key, belongs to a customer with other details.
    """
    refuse_double(wanted)
    db.start_write(session)
    found = _match(session, wanted)
    if found is not None:
        return found
    try:
        return create(session, wanted, actor=actor)
    except CustomerTaken:  # perhaps by the same request, a moment ago
        db.start_write(session)
        found = _match(session, wanted)
        if found is None:
            raise
        return found


def _match(session: Session, wanted: NewCustomer) -> Customer | None:
    """Find the live customer with these names. Raises CustomerTaken when its details differ."""
    holders = queries.namesakes(session, wanted.key, wanted.subject_keys)
    if not holders:
        return None
    if len(holders) == 1 and is_same(holders[0], wanted):
        return holders[0]
    raise CustomerTaken(TAKEN, {holder.id for holder in holders})


def refuse_double(wanted: NewCustomer) -> None:
    """Raise CustomerTaken when a wish takes a name from itself."""
    if wanted.key == wanted.id or len(set(wanted.subject_keys)) < len(wanted.subject_keys):
        raise CustomerTaken("a name is given twice: as two subject keys, or as key and id", set())


def delete(session: Session, customer: Customer, *, actor: str) -> None:
    """Mark a customer as deleted; its key and subject keys become free. Flushes.

    Raises PreconditionFailed when it is deleted already.
    """
    refuse_deleted(customer)
    customer.deleted_at = utcnow()
    for subject in customer.subjects:
        subject.deleted_at = customer.deleted_at
    audit.note(session, "customer.deleted", actor=actor, customer_id=customer.id)
    session.flush()
    queries.count_one(session, -1)


def restore(session: Session, customer: Customer, *, actor: str) -> None:
    """Restore a deleted customer with its key and its subject keys. Flushes.

    Raises PreconditionFailed when it is not deleted, and CustomerTaken, with the transaction rolled back,
    when another customer has one of the names by now.
    """
    if customer.deleted_at is None:
        raise PreconditionFailed(f"customer {customer.id} is not deleted")
    wanted = details_of(customer)
    refuse_taken(session, wanted)
    customer.deleted_at = None
    for subject in customer.subjects:
        subject.deleted_at = None
    audit.note(session, "customer.restored", actor=actor, customer_id=customer.id)
    _flush(session, wanted)
    queries.count_one(session, 1)


def decide(session: Session, customer: Customer, *, is_approved: bool, actor: str) -> None:
    """Approve or decline a locked customer's sign-up. A declined one may be approved later. Flushes.

    Raises PreconditionFailed for a deleted customer, and Conflict when there is nothing to decide.
    """
    refuse_deleted(customer)
    decision = APPROVED if is_approved else DECLINED
    if customer.approval not in ({WAITING, DECLINED} if is_approved else {WAITING}):
        raise Conflict("Somebody has already decided about this sign-up.")
    customer.approval = decision
    audit.note(session, f"signup.{decision}", actor=actor, customer_id=customer.id)
    session.flush()


def refuse_deleted(customer: Customer) -> None:
    """Raise PreconditionFailed for a deleted customer."""
    if customer.deleted_at is not None:
        raise PreconditionFailed(f"customer {customer.id} is deleted")


def refuse_unapproved(customer: Customer) -> None:
    """Raise PreconditionFailed until an operator has approved the sign-up of a customer."""
    if customer.approval in NOT_APPROVED:
        raise PreconditionFailed(f"an operator has not approved the sign-up of customer {customer.id}")


def is_same(customer: Customer, wanted: NewCustomer) -> bool:
    """Does a customer already have the wanted details? The order of subject keys does not matter.

    A value from Stripe is no difference where the wanted details have none.
    """
    return not differences(customer, with_adopted(customer, wanted))


def differences(customer: Customer, wanted: NewCustomer) -> list[str]:
    """List the fields in which a customer differs from the wanted details."""
    held = details_of(customer)
    ordered = replace_fields(
        wanted,
        id=customer.id,
        subject_keys=tuple(sorted(wanted.subject_keys)),
        invoice_details=wanted.invoice_details or held.invoice_details,
    )
    return [part.name for part in fields(held) if getattr(held, part.name) != getattr(ordered, part.name)]


def _fill(customer: Customer, wanted: NewCustomer) -> None:
    if customer.adopted:
        held, said = details_of(customer), wanted
        if wanted.invoice_details is None:
            said = replace_fields(wanted, invoice_details=held.invoice_details)
        customer.adopted = [part for part in customer.adopted if held.part(part) == said.part(part)] or None
    customer.name = wanted.name
    customer.key = wanted.key
    customer.primary_email = wanted.primary_email
    customer.currency = wanted.currency
    customer.description = wanted.description
    customer.billing_address = wanted.billing_address
    customer.extra = wanted.metadata
    if wanted.invoice_details is not None:
        customer.invoice_details = wanted.invoice_details.stored()
    kept = {subject.key: subject for subject in customer.subjects}
    customer.subjects = [kept.get(key) or SubjectKey(key=key) for key in wanted.subject_keys]
    customer.search_text = search.search_text(
        wanted.name, wanted.key, wanted.primary_email, wanted.subject_keys
    )


def _flush(session: Session, wanted: NewCustomer) -> None:
    try:
        session.flush()
    except IntegrityError as error:
        raise _taken(session, wanted) from error


def _taken(session: Session, wanted: NewCustomer) -> CustomerTaken:
    """Roll back, and return what to raise."""
    session.rollback()
    holders = queries.holders(session, key=wanted.key, subject_keys=wanted.subject_keys)
    return CustomerTaken(TAKEN, holders)
