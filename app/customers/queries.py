"""Reads customers."""

import secrets
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from app.core import db
from app.core.database import statements
from app.core.db import is_id
from app.core.errors import NotFound, PreconditionFailed
from app.core.values import frozen
from app.customers import search
from app.customers.models import Customer, CustomerCount, SubjectKey
from app.customers.page_cursors import MIN_FAR_OFFSET, PageCursors

SHARDS = 16
CURSORS = PageCursors()
# How to lock a customer. Rows that refer to it may be written all the same: who writes a payer twice holds
# its customer, too, so the two would wait for each other.
FOR_CHANGE: dict[str, Any] = {"key_share": True}
# PostgreSQL locks no row that was read so, and a row that is read again is read in the same way.
TO_SHOW = sa.select(Customer).where(Customer.id == sa.bindparam("id")).options(joinedload(Customer.subjects))


def holders(session: Session, *, key: str | None, subject_keys: Collection[str]) -> set[str]:
    """The ids of the live customers that conflict with these names.

    A key may be no one's key, no customer's id (even a deleted one's) and no one's subject key. A subject key
    may be no one's subject key, but it may be somebody's key. That is OpenMeter's rule.
    """
    return set(session.scalars(sa.union(*_holders(key, subject_keys))))


def are_free(*, key: str | None, subject_keys: Collection[str]) -> sa.ColumnElement[bool]:
    """Return a condition: does no customer conflict with these names?"""
    return sa.and_(*(~held.exists() for held in _holders(key, subject_keys)))


def _holders(key: str | None, subject_keys: Collection[str]) -> list[sa.Select[str]]:
    by_subject_key = sa.select(SubjectKey.customer_id).where(
        SubjectKey.deleted_at.is_(None), SubjectKey.key.in_({*subject_keys, *([key] if key else [])})
    )
    if not key:
        return [by_subject_key]
    is_taken = sa.or_(sa.and_(Customer.key == key, Customer.deleted_at.is_(None)), Customer.id == key)
    return [by_subject_key, sa.select(Customer.id).where(is_taken)]


def namesakes(session: Session, key: str | None, subject_keys: Collection[str]) -> list[Customer]:
    """The live customer with that key; without a key, the live customers with any of the subject keys."""
    if key:
        return list(
            session.scalars(sa.select(Customer).where(Customer.key == key, Customer.deleted_at.is_(None)))
        )
    held = sa.select(SubjectKey.customer_id).where(
        SubjectKey.deleted_at.is_(None), SubjectKey.key.in_(subject_keys)
    )
    return list(session.scalars(sa.select(Customer).where(Customer.id.in_(held))))


def has_email(session: Session, address: str) -> sa.ColumnElement[bool]:
    """May a customer have this email address, in any letter case? An index finds it.

    The caller compares by `folded_email`, because databases differ in what other letters they take as alike.
    """
    if session.get_bind().dialect.name == "postgresql":
        return sa.func.lower(Customer.primary_email) == sa.func.lower(address)
    return Customer.primary_email.collate("NOCASE") == address


def by_key(session: Session, key: str, *, lock: bool = False) -> Customer:
    """A live customer by its key, perhaps locked for a change. Raises NotFound."""
    query = sa.select(Customer).where(Customer.key == key, Customer.deleted_at.is_(None))
    if lock:
        query = query.with_for_update(**FOR_CHANGE).execution_options(populate_existing=True)
    customer = session.scalar(query)
    if customer is None:
        raise NotFound(f"there is no customer with key {key!r}")
    return customer


def by_id_or_key(session: Session, id_or_key: str, *, lock: bool = False) -> Customer:
    """A customer by its id, even a deleted one, else a live one by its key. Raises NotFound.

    To change it, `lock` it: then it is read as it is, and stays so until the commit.
    """
    return by_id(session, id_or_key, lock=lock) or by_key(session, id_or_key, lock=lock)


def by_id(session: Session, customer_id: str, *, lock: bool = False) -> Customer | None:
    """Return a customer as it is now, even a deleted one, perhaps locked for a change. None: no such id."""
    if not is_id(customer_id.upper()):
        return None
    for_update = FOR_CHANGE if lock else None
    return session.get(Customer, customer_id.upper(), with_for_update=for_update, populate_existing=True)


def to_show(session: Session, customer_id: str) -> Customer | None:
    """Return a customer with its subject keys, even a deleted one, for a page that changes nothing."""
    if not is_id(customer_id.upper()):
        return None
    return session.scalars(TO_SHOW, {"id": customer_id.upper()}).unique().one_or_none()


def for_change(session: Session, customer_id: str) -> Customer:
    """Return a customer that we know, even a deleted one, as it is now, and lock it for a change."""
    return session.get_one(Customer, customer_id, with_for_update=FOR_CHANGE, populate_existing=True)


def get(session: Session, customer_id: str) -> Customer:
    """A live customer by its id. Raises NotFound, and PreconditionFailed for a deleted one."""
    customer = session.get(Customer, customer_id.upper())
    if customer is None:
        raise NotFound(f"there is no customer with id {customer_id}")
    if customer.deleted_at is not None:
        raise PreconditionFailed(f"customer {customer_id} is deleted")
    return customer


@frozen(kw_only=True)
class Filter:
    """Which customers to list: each text is a part of the field's own, in any letter case."""

    key: str | None = None
    name: str | None = None
    primary_email: str | None = None
    subject: str | None = None
    include_deleted: bool = False


ORDERS = {"id": Customer.id, "name": Customer.name, "createdAt": Customer.created_at}


def page(
    session: Session, wanted: Filter, *, order_by: str, descending: bool, page: int, size: int
) -> tuple[list[Customer], int]:
    """One page of the customers that fit, and how many fit in all. The id breaks ties.

    A page is found in an index alone: from the nearer end, or, when it is far from both, behind the last row
    of the page before it.
    """
    fits = _fits(wanted)
    if wanted != Filter():
        db.force_custom_plan(session)
    total = _count(session, wanted, fits)
    skipped = (page - 1) * size
    if skipped >= total:
        return [], total
    rows = min(size, total - skipped)
    from_the_end = skipped > total // 2
    skipped = total - skipped - rows if from_the_end else skipped
    column, up = ORDERS[order_by], descending == from_the_end
    listing = (wanted, order_by, descending, size)
    is_far = skipped > MIN_FAR_OFFSET
    anchor = CURSORS.find((listing, page)) if is_far else None
    if anchor is not None:
        up, skipped = not descending, 0
        behind = sa.tuple_(column, Customer.id)
        fits = [*fits, behind > anchor if up else behind < anchor]
    turn = sa.asc if up else sa.desc
    ids = sa.select(Customer.id).where(*fits).order_by(turn(column), turn(Customer.id))
    ids_there = ids.limit(rows).offset(skipped).subquery()
    turn = sa.desc if descending else sa.asc
    found = session.scalars(
        sa.select(Customer)
        .join(ids_there, ids_there.c.id == Customer.id)
        .order_by(turn(column), turn(Customer.id))
    ).all()
    if found:
        CURSORS.keep((listing, page + 1), (getattr(found[-1], column.key), found[-1].id))
    return list(found), total


def count_one(session: Session, change: int) -> None:
    """Count a customer in, or out, in the transaction that makes or deletes it."""
    counted = db.insert(session, CustomerCount).values(shard=secrets.randbelow(SHARDS), live=change)
    session.execute(
        counted.on_conflict_do_update(
            index_elements=["shard"], set_={"live": CustomerCount.live + counted.excluded.live}
        )
    )


def count_live(session: Session) -> int:
    """How many customers there are, deleted ones left out."""
    return int(session.scalar(sa.select(sa.func.sum(CustomerCount.live))) or 0)


def subject_keys_of(session: Session, ids: list[str]) -> dict[str, list[str]]:
    """The subject keys of several customers, sorted, by the customer's id; without those that have none."""
    found: dict[str, list[str]] = {}
    is_theirs = statements.is_one_of(session, SubjectKey.customer_id, ids)
    held = sa.select(SubjectKey.customer_id, SubjectKey.key).where(is_theirs).order_by(SubjectKey.key)
    for customer_id, key in session.connection().execute(held):
        found.setdefault(customer_id, []).append(key)
    return found


def _count(session: Session, wanted: Filter, fits: list[sa.ColumnElement[bool]]) -> int:
    if wanted == Filter():
        return count_live(session)
    return session.scalar(sa.select(sa.func.count()).select_from(Customer).where(*fits)) or 0


def _fits(wanted: Filter) -> list[sa.ColumnElement[bool]]:
    fits: list[sa.ColumnElement[bool]] = []
    if not wanted.include_deleted:
        fits.append(Customer.deleted_at.is_(None))
    for column, text in (
        (Customer.key, wanted.key),
        (Customer.name, wanted.name),
        (Customer.primary_email, wanted.primary_email),
    ):
        if text is not None:
            fits += [search.holds(text), column.icontains(text, autoescape=True)]
    if wanted.subject is not None:
        held = SubjectKey.key.icontains(wanted.subject, autoescape=True)
        fits += [search.holds(wanted.subject), Customer.subjects.any(held)]
    return fits
