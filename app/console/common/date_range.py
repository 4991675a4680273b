"""A range of whole days (UTC) in the URL of a page."""

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, date, datetime, timedelta

from app.core.db import utcnow
from app.core.values import frozen

NAMES = {
    "today": "Today",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "custom": "Custom range",
}
DAYS = {"today": 1, "7d": 7, "30d": 30, "90d": 90}
MAX_LENGTH = timedelta(days=731)
ONE_DAY = timedelta(days=1)


@frozen
class DateRange:
    """From one day to another, both included; without days, any time. `errors` are for the form."""

    name: str = ""
    first: date | None = None
    last: date | None = None
    typed: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def since(self) -> datetime | None:
        """The first instant."""
        return midnight(self.first) if self.first else None

    @property
    def until(self) -> datetime | None:
        """The first instant after it."""
        return midnight(self.last + ONE_DAY) if self.last else None


def read(arguments: Mapping[str, str], *, default: str = "") -> DateRange:
    """Read the range from the URL. Return the default when it names none, with errors when it is wrong."""
    name = arguments.get("span", "")
    typed = {key: arguments[key].strip() for key in ("from", "to") if arguments.get(key, "").strip()}
    if name == "custom" or (not name and typed):
        return _chosen(typed, default)
    return _named(name if name in DAYS else default)


def _named(name: str, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None) -> DateRange:
    typed, errors = typed or {}, errors or {}
    if name not in DAYS:
        return DateRange(typed=typed, errors=errors)
    today = utcnow().date()
    return DateRange(name, today - (DAYS[name] - 1) * ONE_DAY, today, typed, errors)


def _chosen(typed: dict[str, str], default: str) -> DateRange:
    errors: dict[str, str] = {}
    days: dict[str, date] = {}
    for key in ("from", "to"):
        try:
            days[key] = date.fromisoformat(typed[key]) if key in typed else utcnow().date()
        except ValueError:
            errors[key] = "Enter a date such as 2026-03-31."
    if "from" not in typed:
        errors["from"] = "Enter the first date, such as 2026-03-01."
    if not errors and days["from"] > days["to"]:
        errors["from"] = "The first date must be before the last date."
    if not errors and days["to"] - days["from"] > MAX_LENGTH:
        errors["from"] = "Choose a range of two years or less."
    if not errors and days["to"] > date(9000, 1, 1):
        errors["to"] = "Enter an earlier date."
    if errors:
        return _named(default, typed=typed, errors=errors)
    return DateRange("custom", days["from"], days["to"], typed)


def midnight(day: date) -> datetime:
    """The first instant of a day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
