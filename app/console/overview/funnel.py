"""How many customers came how far: the funnel of a dates, day by day."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.console.common.date_range import DateRange
from app.console.overview import attention
from app.customers import Customer
from app.payers import STATUS_TABLE, Payer, PaymentStatus

UNDER_WAY = {status for status, info in STATUS_TABLE.items() if info.is_under_way}
TROUBLED = {*attention.CONCERNS}  # so that one phrase counts the same everywhere on the page
MAX_BARS = 100  # more would be too thin to be seen: then each stands for a week
ONE_DAY = timedelta(days=1)

Value = TypeVar("Value")


@dataclass(frozen=True)
class Tally:
    """How many customers who signed up in some time stand where now; the first four add up to all of them."""

    saved: int = 0  # with nothing to do
    under_way: int = 0
    troubled: int = 0
    not_begun: int = 0
    expiring: int = 0  # of the troubled: their card can be charged, though not for long

    @classmethod
    def of(cls, statuses: Counter[str | None]) -> "Tally":
        """Count by status."""
        saved = statuses[PaymentStatus.SAVED]
        under_way, troubled = (sum(statuses[status] for status in group) for group in (UNDER_WAY, TROUBLED))
        not_begun = statuses.total() - saved - under_way - troubled
        return cls(saved, under_way, troubled, not_begun, statuses[PaymentStatus.EXPIRING])

    @property
    def signed_up(self) -> int:
        """All."""
        return self.saved + self.under_way + self.troubled + self.not_begun

    @property
    def has_method(self) -> int:
        """Those whose method can be charged."""
        return self.saved + self.expiring

    @property
    def went(self) -> int:
        """Those who went to Stripe."""
        return self.signed_up - self.not_begun

    def share(self, count: int) -> str:
        """What part of those who signed up a number is, as people say it."""
        if not self.signed_up:
            return "0 %"
        percent = 100 * count / self.signed_up
        if 0 < percent < 1 or 99 < percent < 100:
            return "under 1 %" if percent < 1 else "over 99 %"
        return f"{percent:.0f} %"


@dataclass(frozen=True)
class Bar:
    """Who signed up on some days in a row: one, or a week."""

    first: date
    last: date
    tally: Tally


@dataclass(frozen=True)
class Funnel:
    """The funnel of a dates, and its days."""

    whole: Tally
    bars: list[Bar]

    @property
    def highest(self) -> int:
        """How many customers the highest bar stands for."""
        return max((bar.tally.signed_up for bar in self.bars), default=0)


def count(session: Session, dates: DateRange, app_id: str | None) -> Funnel:
    """The customers who signed up in a dates, by how they stand now with one app."""
    assert dates.first is not None
    assert dates.last is not None
    by_day: dict[date, Counter[str | None]] = {}
    for day, status, count in session.execute(_query(session, dates, app_id)):
        by_day.setdefault(date.fromisoformat(str(day)), Counter())[status] += count
    width = ONE_DAY if (dates.last - dates.first).days < MAX_BARS else 7 * ONE_DAY
    bars, first = [], dates.first
    while first <= dates.last:
        last = min(first + width - ONE_DAY, dates.last)
        days = (first + number * ONE_DAY for number in range((last - first).days + 1))
        bars.append(Bar(first, last, Tally.of(sum((by_day.get(day, Counter()) for day in days), Counter()))))
        first = last + ONE_DAY
    return Funnel(Tally.of(sum(by_day.values(), Counter())), bars)


def _query(session: Session, dates: DateRange, app_id: str | None) -> sa.Select[str, str | None, int]:
    """One row for each day and status. In one app a customer has one live payer at most."""
    is_theirs = sa.and_(
        Payer.customer_id == Customer.id, Payer.app_id == (app_id or ""), Payer.deleted_at.is_(None)
    )
    has_zones = session.get_bind().dialect.name == "postgresql"
    instant = sa.func.timezone("UTC", Customer.created_at) if has_zones else Customer.created_at
    day = sa.func.date(instant, type_=sa.String)
    return (
        sa.select(day, Payer.status, sa.func.count())
        .select_from(Customer)
        .outerjoin(Payer, is_theirs)
        .where(
            Customer.deleted_at.is_(None),
            Customer.created_at >= dates.since,
            Customer.created_at < dates.until,
        )
        .group_by(day, Payer.status)
    )


class SlowAnswers:
    """Answers that took long to find, kept for a while in proportion. One instance for each process.

    A page that is looked at every few seconds must not keep a database busy with a million rows; one that is
    found in no time is found anew each time.
    """

    def __init__(self, *, worth: float = 0.2, times: float = 30.0) -> None:
        self._worth, self._times = worth, times
        self._kept: dict[object, tuple[float, object]] = {}
        self._lock = threading.Lock()

    def get(self, key: object, find: Callable[[], Value]) -> Value:
        """What was found a while ago, or is now."""
        began = time.monotonic()
        with self._lock:
            self._kept = {name: kept for name, kept in self._kept.items() if kept[0] > began}
            held = self._kept.get(key)
        if held is not None:
            return held[1]  # type: ignore[return-value]  # the key says what is kept under it
        found = find()
        took = time.monotonic() - began
        if took > self._worth:
            with self._lock:
                self._kept[key] = (time.monotonic() + self._times * took, found)
        return found
