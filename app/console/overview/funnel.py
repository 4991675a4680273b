"""The funnel: how far the customers who signed up on some days have come, day by day."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.console.common.date_range import DateRange, midnight
from app.console.overview import attention
from app.core import db
from app.core.db import UtcDateTime, utcnow
from app.core.values import frozen
from app.customers import Customer
from app.payers import STATUS_TABLE, Payer

USABLE = {status for status, info in STATUS_TABLE.items() if info.is_usable}
UNDER_WAY = {status for status, info in STATUS_TABLE.items() if info.is_under_way}
TROUBLED = {*attention.CONCERNS}  # the page counts "needs attention" in one way
MAX_BARS = 100  # with more days, each bar is a week
ONE_DAY = timedelta(days=1)
EVERYBODY = "everybody"  # stands where a status would

Value = TypeVar("Value")


@frozen
class Tally:
    """How many customers of a period are where now. The first four fields add up to all of them."""

    saved: int = 0
    under_way: int = 0
    troubled: int = 0
    not_begun: int = 0
    expiring: int = 0  # of the troubled: these can still be charged

    @classmethod
    def of(cls, statuses: Counter[str | None]) -> "Tally":
        """Count by status."""
        groups = (USABLE - TROUBLED, UNDER_WAY, TROUBLED, USABLE & TROUBLED)
        saved, under_way, troubled, expiring = (sum(statuses[status] for status in group) for group in groups)
        return cls(saved, under_way, troubled, statuses.total() - saved - under_way - troubled, expiring)

    @property
    def signed_up(self) -> int:
        """All customers."""
        return self.saved + self.under_way + self.troubled + self.not_begun

    @property
    def has_method(self) -> int:
        """Customers with a payment method that can be charged."""
        return self.saved + self.expiring

    @property
    def went(self) -> int:
        """Customers who went to Stripe."""
        return self.signed_up - self.not_begun

    def share(self, count: int) -> str:
        """This count as a percentage of all sign-ups."""
        if not self.signed_up:
            return "0%"
        percent = 100 * count / self.signed_up
        if 0 < percent < 1 or 99 < percent < 100:
            return "under 1%" if percent < 1 else "over 99%"
        return f"{percent:.0f}%"


@frozen
class Bar:
    """The sign-ups of one day or one week."""

    first: date
    last: date
    tally: Tally


@frozen
class Funnel:
    """The funnel of a date range, and its bars."""

    whole: Tally
    bars: list[Bar]
    counted_at: datetime

    @property
    def highest(self) -> int:
        """The sign-ups of the highest bar."""
        return max((bar.tally.signed_up for bar in self.bars), default=0)


def count(session: Session, dates: DateRange, app_id: str | None) -> Funnel:
    """Count the sign-ups of a date range by their current status in one app."""
    assert dates.first is not None
    assert dates.last is not None
    counted_at = utcnow()
    width = ONE_DAY if (dates.last - dates.first).days < MAX_BARS else 7 * ONE_DAY
    number = (dates.last - dates.first) // width + 1
    firsts = [dates.first + index * width for index in range(number)]
    spans = [(first, min(first + width - ONE_DAY, dates.last)) for first in firsts]
    found: list[Counter[str | None]] = [Counter() for _ in spans]
    db.force_custom_plan(session)  # compiling the query would take as long as a month of sign-ups
    for day, status, count in session.execute(_query(spans, app_id)):
        if day is not None:
            found[(day - dates.first) // width][status] += count
    for statuses in found:
        everybody = statuses.pop(EVERYBODY, 0)
        statuses[None] += everybody - statuses.total()  # who has no payer in this app
    bars = [Bar(*span, Tally.of(statuses)) for span, statuses in zip(spans, found, strict=True)]
    return Funnel(Tally.of(sum(found, Counter())), bars, counted_at)


def _query(
    spans: list[tuple[date, date]], app_id: str | None
) -> sa.CompoundSelect[date | None, str | None, int]:
    """Return rows of day, status and count, in one statement: all are counted at the same instant.

    - Under EVERYBODY: the live customers of each bar, on its first day.
    - Under another status: the live payers of each day. A customer has at most one in an app.
    - Payers that an earlier release made have no such day: they are joined with their customers.

    The first two read a part of one index each, and no table.
    """
    instants = (sa.column("since", UtcDateTime), sa.column("until", UtcDateTime))
    ranges = [(first, midnight(first), midnight(last + ONE_DAY)) for first, last in spans]
    bar = sa.values(sa.column("first", sa.Date), *instants, name="bar").data(ranges).cte("bar")
    is_in_bar = sa.and_(Customer.created_at >= bar.c.since, Customer.created_at < bar.c.until)
    customers = sa.select(sa.func.count()).where(Customer.deleted_at.is_(None), is_in_bar).scalar_subquery()
    everybody = sa.select(bar.c.first, sa.cast(EVERYBODY, Payer.status.type), customers)
    is_theirs = sa.and_(Payer.app_id == (app_id or ""), Payer.deleted_at.is_(None))
    by_day = (
        sa.select(Payer.signed_up_on, Payer.status, sa.func.count())
        .where(is_theirs, Payer.signed_up_on.between(spans[0][0], spans[-1][1]))
        .group_by(Payer.signed_up_on, Payer.status)
    )
    by_older_code = (
        sa.select(bar.c.first, Payer.status, sa.func.count())
        .select_from(Payer)
        .outerjoin(Customer, Customer.id == Payer.customer_id)  # SQLite keeps this order: first the few
        .outerjoin(bar, is_in_bar)
        .where(is_theirs, Payer.signed_up_on.is_(None))
        .group_by(bar.c.first, Payer.status)
    )
    return sa.union_all(everybody, by_day, by_older_code)


class SlowAnswers:
    """A cache of answers that took long to compute. Keep one instance per process.

    A page that reloads every few seconds must not keep a database busy with a million rows. What was
    computed quickly is computed again each time.
    """

    def __init__(self, *, worth: float = 0.2, times: float = 30.0) -> None:
        self._worth, self._times = worth, times
        self._kept: dict[object, tuple[float, object]] = {}
        self._lock = threading.Lock()

    def get(self, key: object, find: Callable[[], Value]) -> Value:
        """Return the cached answer, or compute it."""
        began = time.monotonic()
        with self._lock:
            self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > began}
            held = self._kept.get(key)
        if held is not None:
            return held[1]  # type: ignore[return-value]  # the key determines the type
        found = find()
        took = time.monotonic() - began
        if took > self._worth:
            with self._lock:
                self._kept[key] = (time.monotonic() + self._times * took, found)
        return found
