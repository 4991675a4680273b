"""Reads a list of customers of any length: one page, and how many match, up to a limit.

At a million rows no single plan suits every filter. When few customers match, gather and sort them. When
many match, read the rows in the order of the list until the page is full. Each page begins behind the last
row of the one before it, so that a page costs the same however far down it is.
"""

from collections.abc import Sequence
from dataclasses import field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from app import customers
from app.core import db
from app.core.database import statements
from app.core.values import frozen
from app.customers import Customer
from app.web.keyset import Position

MAX_COUNTED = 10_000  # "more than" says enough beyond that
MAX_SCANNED = 5_000  # rows that are read in order before all matches are sorted instead
MAX_SLOWLY_SCANNED = 20_000  # where fewer matches are counted: they may be further apart

ORDERS: dict[str, InstrumentedAttribute[Any]] = {"name": Customer.name, "created": Customer.created_at}


@frozen(kw_only=True)
class CustomerQuery:
    """Which customers match.

    `ids` finds the ids of all matches more cheaply than `filters`, for the queries where that is possible.
    """

    filters: Sequence[sa.ColumnElement[bool]] = ()
    ids: sa.Select[str] | None = None
    are_deleted: bool = False
    max_counted: int = MAX_COUNTED

    @property
    def max_scanned(self) -> int:
        """How many rows are read in order."""
        return MAX_SCANNED if self.max_counted == MAX_COUNTED else MAX_SLOWLY_SCANNED

    @property
    def is_everyone(self) -> bool:
        """Does every live customer match?"""
        return not self.filters and not self.are_deleted

    @property
    def exists(self) -> sa.ColumnElement[bool]:
        """Customers are live, or deleted."""
        return Customer.deleted_at.is_not(None) if self.are_deleted else Customer.deleted_at.is_(None)

    @property
    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """What must be true of each customer."""
        return [self.exists, *self.filters]

    def matches(self, order_by: str) -> sa.Select[Any]:
        """The ids of the matches, at most one more than are counted, with any sort key at hand."""
        if self.ids is not None:
            return self.ids.limit(self.max_counted + 1)
        sort = ORDERS[order_by].label("sort")
        return sa.select(Customer.id, sort).where(*self.conditions).limit(self.max_counted + 1)


@frozen(kw_only=True)
class PageRequest:
    """Which page of a list: the rows after a position, or before one, in the order of the list."""

    order_by: str  # one of ORDERS
    descending: bool
    size: int
    before: Position | None = None
    after: Position | None = None

    @property
    def position(self) -> Position | None:
        """Where the page begins or ends; None is the start of the list."""
        return self.before if self.after is None else self.after

    @property
    def is_backward(self) -> bool:
        """Is this page read from its end?"""
        return self.after is None and self.before is not None

    @property
    def is_falling(self) -> bool:
        """Are the sort keys read from the greatest down?"""
        return self.descending is not self.is_backward

    def ordered(self, *columns: Any) -> list[sa.UnaryExpression[Any]]:
        """These columns in the order of reading."""
        return [column.desc() if self.is_falling else column.asc() for column in columns]

    def beyond(self, sort: Any, id_: Any) -> list[sa.ColumnElement[bool]]:
        """The condition that a row lies beyond the position, in the order of reading."""
        if self.position is None:
            return []
        key = sa.tuple_(sort, id_)
        return [key < self.position if self.is_falling else key > self.position]


@frozen(kw_only=True)
class PageResult:
    """A page of a list, and where its neighbours begin. When `is_more`, more than `total` match."""

    customers: list[Customer] = field(default_factory=list)
    total: int = 0
    is_more: bool = False
    previous: Position | None = None
    next: Position | None = None


def page(session: Session, query: CustomerQuery, request: PageRequest) -> PageResult:
    """Read one page of the matches."""
    if query.is_everyone:
        total = customers.count_live(session)
        return _result(session, request, _read(session, query, request), total)
    _prepare(session, query)
    total, rows = _gather(session, query, request)
    if total <= query.max_counted:
        return _result(session, request, rows, total)
    return _result(session, request, _scan(session, query, request), query.max_counted, is_more=True)


def count(session: Session, query: CustomerQuery) -> int:
    """Count the matches: at most one more than are counted."""
    _prepare(session, query)
    found = query.matches("created").subquery()
    return session.scalar(sa.select(sa.func.count()).select_from(found)) or 0


def _prepare(session: Session, query: CustomerQuery) -> None:
    """Let PostgreSQL plan for these words.

    With a search and a status it would rather read all payers of that status than look up those of a few.
    """
    db.force_custom_plan(session)
    if query.max_counted < MAX_COUNTED and len(query.filters) > 1:
        statements.read_by_index(session)


def _result(
    session: Session, request: PageRequest, rows: list[Position], total: int, *, is_more: bool = False
) -> PageResult:
    """Load the page of these sort keys and ids. One row too many means that more follow."""
    goes_on, rows = len(rows) > request.size, rows[: request.size]
    if request.is_backward:
        rows.reverse()
    if not rows:
        return PageResult(total=total, is_more=is_more)
    has_previous = goes_on if request.is_backward else request.position is not None
    has_next = request.is_backward or goes_on
    return PageResult(
        customers=_load(session, [id_ for _, id_ in rows]),
        total=total,
        is_more=is_more,
        previous=rows[0] if has_previous else None,
        next=rows[-1] if has_next else None,
    )


def _read(
    session: Session, query: CustomerQuery, request: PageRequest, *near: sa.ColumnElement[bool]
) -> list[Position]:
    """The sort keys and ids of the page, read from the index of the list's order."""
    sort = ORDERS[request.order_by]
    rows = sa.select(sort, Customer.id).where(*query.conditions, *request.beyond(sort, Customer.id), *near)
    return _fetch(session, rows.order_by(*request.ordered(sort, Customer.id)), request)


def _gather(session: Session, query: CustomerQuery, request: PageRequest) -> tuple[int, list[Position]]:
    """How many match, and the sort keys and ids of the page; none when more match than are counted."""
    few = query.matches(request.order_by).cte("few").prefix_with("MATERIALIZED", dialect="postgresql")
    few_id = few.c[0]
    total = sa.select(sa.func.count().label("total")).select_from(few).cte("total")
    # Look up the keys one by one: the planner would rather read all customers to sort a few.
    looked_up = sa.select(ORDERS[request.order_by]).where(Customer.id == few_id).scalar_subquery()
    sort = few.c.sort if "sort" in few.c else looked_up
    keyed = (
        sa.select(sort.label("sort"), few_id.label("id"))
        .where(sa.select(total.c.total).scalar_subquery() <= query.max_counted)
        .cte("keyed")
        .prefix_with("MATERIALIZED", dialect="postgresql")
    )
    rows = (
        sa.select(keyed.c.sort, keyed.c.id)
        .where(*request.beyond(keyed.c.sort, keyed.c.id))
        .order_by(*request.ordered(keyed.c.sort, keyed.c.id))
        .limit(request.size + 1)
        .subquery()
    )
    found = session.execute(
        sa.select(total.c.total, rows.c.sort, rows.c.id)
        .select_from(total.outerjoin(rows, sa.true()))
        .order_by(*request.ordered(rows.c.sort, rows.c.id))
    ).all()
    return found[0].total, [(row.sort, row.id) for row in found if row.id is not None]


def _scan(session: Session, query: CustomerQuery, request: PageRequest) -> list[Position]:
    """The sort keys and ids of the page, when many customers match.

    They may all stand at the far end, such as a first name in a list by name. So only some rows are read in
    order. When they do not fill the page, all matches beyond the position are sorted.
    """
    sort = ORDERS[request.order_by]
    beyond = request.beyond(sort, Customer.id)
    order = request.ordered(sort, Customer.id)
    everyone = sa.select(sort, Customer.id).where(query.exists, *beyond).order_by(*order)
    edge = session.execute(everyone.offset(query.max_scanned).limit(1)).first()
    if edge is None:  # the list ends within the rows that may be read
        return _read(session, query, request)
    key = sa.tuple_(sort, Customer.id)
    found = _read(session, query, request, key >= tuple(edge) if request.is_falling else key <= tuple(edge))
    if len(found) > request.size:
        return found
    every = sa.select(sort.label("sort"), Customer.id).where(*query.conditions, *beyond).cte("every")
    every = every.prefix_with("MATERIALIZED", dialect="postgresql")
    rows = sa.select(every.c.sort, every.c.id).order_by(*request.ordered(every.c.sort, every.c.id))
    return _fetch(session, rows, request)


def _fetch(session: Session, rows: sa.Select[Any], request: PageRequest) -> list[Position]:
    return [(sort, id_) for sort, id_ in session.execute(rows.limit(request.size + 1))]


def _load(session: Session, ids: list[str]) -> list[Customer]:
    """The customers with these ids, in this order."""
    found = session.scalars(sa.select(Customer).where(Customer.id.in_(ids)))
    by_id = {customer.id: customer for customer in found}
    return [by_id[id_] for id_ in ids]
