"""The funnel: how far the customers who signed up on some days have come, day by day."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.console.common.date_range import DateRange
from app.console.overview import attention
from app.core.db import utcnow
from app.customers import Customer
from app.payers import STATUS_TABLE, Payer

USABLE = {status for status, info in STATUS_TABLE.items() if info.is_usable}
UNDER_WAY = {status for status, info in STATUS_TABLE.items() if info.is_under_way}
TROUBLED = {*attention.CONCERNS}  # the page counts "needs attention" in one way
MAX_BARS = 100  # with more days, each bar is a week
ONE_DAY = timedelta(days=1)

Value = TypeVar("Value")


@dataclass(frozen=True)
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


@dataclass(frozen=True)
class Bar:
    """The sign-ups of one day or one week."""

    first: date
    last: date
    tally: Tally


@dataclass(frozen=True)
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
    everybody: Counter[date] = Counter()
    by_day: dict[date, Counter[str | None]] = {}
    for day, is_everybody, status, count in session.execute(_query(session, dates, app_id)):
        if is_everybody:
            everybody[day] += count
        else:
            by_day.setdefault(day, Counter())[status] += count
    for day, statuses in by_day.items():
        everybody[day] -= statuses.total()
    for day, others in everybody.items():
        by_day.setdefault(day, Counter())[None] += others
    width = ONE_DAY if (dates.last - dates.first).days < MAX_BARS else 7 * ONE_DAY
    bars, first = [], dates.first
    while first <= dates.last:
        last = min(first + width - ONE_DAY, dates.last)
        days = (first + number * ONE_DAY for number in range((last - first).days + 1))
        bars.append(Bar(first, last, Tally.of(sum((by_day.get(day, Counter()) for day in days), Counter()))))
        first = last + ONE_DAY
    return Funnel(Tally.of(sum(by_day.values(), Counter())), bars, counted_at)


def _query(
    session: Session, dates: DateRange, app_id: str | None
) -> sa.CompoundSelect[date, bool, str | None, int]:
    """All customers of each day, and its live payers in one app by their status. A customer has at most one.

    Each half reads one index. It is one statement, so that both are counted at the same instant.
    """
    has_zones = session.get_bind().dialect.name == "postgresql"
    instant = sa.func.timezone("UTC", Customer.created_at) if has_zones else Customer.created_at
    day = sa.func.date(instant, type_=sa.Date)
    is_wanted = (Customer.created_at >= dates.since, Customer.created_at < dates.until)
    everybody = (
        sa.select(day, sa.true(), sa.cast(sa.null(), Payer.status.type), sa.func.count())
        .where(Customer.deleted_at.is_(None), *is_wanted)
        .group_by(day)
    )
    is_theirs = (Payer.app_id == (app_id or ""), Payer.deleted_at.is_(None))
    payers = (
        sa.select(Payer.signed_up_on, sa.false(), Payer.status, sa.func.count())
        .where(*is_theirs, Payer.signed_up_on.between(dates.first, dates.last))
        .group_by(Payer.signed_up_on, Payer.status)
    )
    by_older_code = (
        sa.select(day, sa.false(), Payer.status, sa.func.count())
        .select_from(Payer)
        .join(Customer, Customer.id == Payer.customer_id)
        .where(*is_theirs, Payer.signed_up_on.is_(None), *is_wanted)
        .group_by(day, Payer.status)
    )
    return sa.union_all(everybody, payers, by_older_code)


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
