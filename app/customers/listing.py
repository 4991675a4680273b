"""Lists of customers for people: a page of those that fit, and how many there are, up to a limit.

At a million rows no single plan is good for each filter. When few fit, they are gathered first and then
sorted; when many do, the rows are looked through in the order of the list until the page is full.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.core import db
from app.customers import queries
from app.customers.anchors import Anchors
from app.customers.models import Customer, SubjectKey

MANY = 10_000  # counted no further, and no page begins behind them
NEAR = 5_000  # rows that are looked through for those who fit
BATCH = 1_000
ANCHORS = Anchors()

ORDERS: dict[str, InstrumentedAttribute[Any]] = {"name": Customer.name, "createdAt": Customer.created_at}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which customers a list is of. `name` is the same for the same conditions, and for no others.

    `ids` is a cheaper way to gather all that fit than reading customers, where there is one. `many` is how
    many are counted at most.
    """

    name: Hashable
    fits: Sequence[sa.ColumnElement[bool]] = ()
    ids: sa.Select[str] | None = None
    are_deleted: bool = False
    many: int = MANY

    @property
    def are_there(self) -> sa.ColumnElement[bool]:
        """They are live; or deleted."""
        return Customer.deleted_at.is_not(None) if self.are_deleted else Customer.deleted_at.is_(None)

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What must be true of each."""
        return [self.are_there, *self.fits]

    def gathered(self, order_by: str) -> sa.Select[Any]:
        """The ids of all, or of one more than are counted; with what sorts them, where that is at hand."""
        if self.ids is not None:
            return self.ids.limit(self.many + 1)
        sort = ORDERS[order_by].label("sort")
        return sa.select(Customer.id, sort).where(*self.conditions).limit(self.many + 1)


@dataclass(frozen=True, kw_only=True)
class Cut:
    """Which part of a list is shown, in which order. The id breaks ties."""

    order_by: str  # one of ORDERS
    descending: bool
    page: int
    size: int

    @property
    def skipped(self) -> int:
        """How many rows stand before it."""
        return (self.page - 1) * self.size


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A page of a list. `total` is how many fit in all; when `is_more`, there are more than that."""

    customers: list[Customer]
    total: int
    is_more: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A customer as it goes into a file."""

    id: str
    key: str | None
    name: str
    primary_email: str | None
    currency: str | None
    created_at: datetime
    deleted_at: datetime | None
    subject_keys: list[str]


COLUMNS = [getattr(Customer, name) for name in Row.__annotations__ if name != "subject_keys"]


def listed(session: Session, wanted: Wanted, cut: Cut) -> Listed:
    """A page of the customers that fit."""
    if not wanted.fits and not wanted.are_deleted:
        found, total = queries.page(
            session,
            queries.Filter(),
            order_by=cut.order_by,
            descending=cut.descending,
            page=cut.page,
            size=cut.size,
        )
        return Listed(customers=found, total=total)
    db.plan_anew(session)
    total, ids = _gathered(session, wanted, cut)
    if total <= wanted.many:
        return Listed(customers=_loaded(session, ids), total=total)
    ids = _looked_through(session, wanted, cut) if cut.skipped < wanted.many else []
    return Listed(customers=_loaded(session, ids), total=wanted.many, is_more=True)


def count(session: Session, wanted: Wanted) -> int:
    """How many fit; one more than are counted when there are more."""
    db.plan_anew(session)
    found = wanted.gathered("createdAt").subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(found)) or 0


def batches(engine: sa.Engine, wanted: Wanted) -> Iterator[list[Row]]:
    """All that fit, in the order of their creation, as many at a time as memory holds easily.

    Each batch is a transaction of its own, so that nothing is held however slowly they are read. Who is
    created or deleted meanwhile may or may not be among them; nobody is there twice.
    """
    behind: tuple[datetime, str] | None = None
    place = sa.tuple_(Customer.created_at, Customer.id)
    ordered = sa.select(*COLUMNS).where(*wanted.conditions).order_by(Customer.created_at, Customer.id)
    while True:
        with Session(engine) as session:
            db.plan_anew(session)
            query = ordered.where(place > behind) if behind else ordered
            found = session.execute(query.limit(BATCH)).mappings().all()
            subjects = _subjects(session, [row["id"] for row in found])
        if found:
            yield [Row(**row, subject_keys=subjects.get(row["id"], [])) for row in found]
        if len(found) < BATCH:
            return
        behind = (found[-1]["created_at"], found[-1]["id"])


def _gathered(session: Session, wanted: Wanted, cut: Cut) -> tuple[int, list[str]]:
    """How many fit, and the ids of the page; no ids when there are more than are counted."""
    turn = sa.desc if cut.descending else sa.asc
    few = wanted.gathered(cut.order_by).cte("few").prefix_with("MATERIALIZED", dialect="postgresql")
    few_id = few.c[0]
    total = sa.select(sa.func.count().label("total")).select_from(few).cte("total")
    # Looked up one by one: to read all customers in order to sort a few of them would seem cheaper.
    looked_up = sa.select(ORDERS[cut.order_by]).where(Customer.id == few_id).scalar_subquery()
    sort = few.c.sort if "sort" in few.c else looked_up
    ids = (
        sa.select(few_id.label("id"), sort.label("sort"))
        .where(sa.select(total.c.total).scalar_subquery() <= wanted.many)
        .order_by(turn("sort"), turn(few_id))
        .limit(cut.size)
        .offset(cut.skipped)
        .subquery()
    )
    found = session.execute(
        sa.select(total.c.total, ids.c.id)
        .select_from(total.outerjoin(ids, sa.true()))
        .order_by(turn(ids.c.sort), turn(ids.c.id))
    ).all()
    return found[0].total, [row.id for row in found if row.id is not None]


def _looked_through(session: Session, wanted: Wanted, cut: Cut) -> list[str]:
    """The ids of the page, found in the order of the list; behind the page before it if that was seen.

    Those who fit may all stand at the other end, such as a first name in a list by name. So it is looked
    through only so far, and when the page is not full by then, all who fit are sorted after all.
    """
    column, turn = ORDERS[cut.order_by], sa.desc if cut.descending else sa.asc
    place, order = sa.tuple_(column, Customer.id), (turn(column), turn(Customer.id))
    listing = (wanted.name, cut.order_by, cut.descending, cut.size)
    anchor, skipped = ANCHORS.find((listing, cut.page)), cut.skipped
    everyone, fits = sa.select(column, Customer.id).where(wanted.are_there), wanted.conditions
    if anchor is not None:
        behind = place < anchor if cut.descending else place > anchor
        everyone, fits, skipped = everyone.where(behind), [*fits, behind], 0
    before = min(skipped, 1)  # the row before the page, so that the next look at it begins there
    offset, limit = skipped - before, cut.size + before
    edge = session.execute(everyone.order_by(*order).offset(NEAR + 4 * skipped).limit(1)).first()
    found: Sequence[sa.Row[Any]] = []
    if edge is not None:
        near = place >= tuple(edge) if cut.descending else place <= tuple(edge)
        query = sa.select(Customer.id, column.label("sort")).where(*fits, near).order_by(*order)
        found = session.execute(query.offset(offset).limit(limit)).all()
    if len(found) < limit:
        every = sa.select(Customer.id, column.label("sort")).where(*fits).cte("every")
        every = every.prefix_with("MATERIALIZED", dialect="postgresql")
        query = sa.select(every.c.id, every.c.sort).order_by(turn(every.c.sort), turn(every.c.id))
        found = session.execute(query.offset(offset).limit(limit)).all()
    if before and found:
        ANCHORS.keep((listing, cut.page), (found[0].sort, found[0].id))
        found = found[1:]
    if found:
        ANCHORS.keep((listing, cut.page + 1), (found[-1].sort, found[-1].id))
    return [row.id for row in found]


def _loaded(session: Session, ids: list[str]) -> list[Customer]:
    """The customers with these ids, in this order."""
    found = session.scalars(sa.select(Customer).where(Customer.id.in_(ids)))
    customers = {customer.id: customer for customer in found}
    return [customers[customer_id] for customer_id in ids]


def _subjects(session: Session, ids: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    held = sa.select(SubjectKey.customer_id, SubjectKey.key).where(SubjectKey.customer_id.in_(ids))
    for customer_id, key in session.execute(held.order_by(SubjectKey.key)):
        found.setdefault(customer_id, []).append(key)
    return found
