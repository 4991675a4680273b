"""What Stripe lists: its events and its customers, as plain frozen values."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.core.values import frozen
from app.gateway.values.answers import instant

MAX_CLOCK_LEAD = timedelta(hours=1)  # how far Stripe's clock may be ahead


@frozen
class EventPage:
    """Some events of Stripe's list, newest first; Stripe renders them in the account's own API version."""

    events: list[dict[str, Any]]
    has_more: bool  # there are older ones

    @property
    def newest_at(self) -> datetime | None:
        """When its newest event happened, by Stripe's clock; one from the far future tells nothing."""
        latest = datetime.now(UTC) + MAX_CLOCK_LEAD
        times = (instant(event["created"]) for event in self.events)
        return next((time for time in times if time <= latest), None)

    @property
    def last_id(self) -> str | None:
        """The id behind which the next page begins."""
        return str(self.events[-1]["id"]) if self.events else None


@frozen(kw_only=True)
class ListedCustomer:
    """A Stripe customer as a list has it."""

    id: str  # cus_…
    created_at: datetime
    metadata: dict[str, str]

    @classmethod
    def of(cls, body: dict[str, Any]) -> "ListedCustomer":
        """Read a Customer. Source: https://docs.stripe.com/api/customers/object"""
        return cls(id=body["id"], created_at=instant(body["created"]), metadata=body.get("metadata") or {})


@frozen
class CustomerPage:
    """Some customers of the account, newest first."""

    customers: list[ListedCustomer]
    has_more: bool  # there are older ones


@frozen(kw_only=True)
class SentEvent:
    """An event as Stripe lists it: enough to see whether it was delivered."""

    id: str  # evt_…
    created_at: datetime
    pending: int  # endpoints, anyone's, that have not taken it yet

    @classmethod
    def of(cls, body: dict[str, Any]) -> "SentEvent":
        """Read an Event. Source: https://docs.stripe.com/api/events/object"""
        return cls(id=body["id"], created_at=instant(body["created"]), pending=body["pending_webhooks"])
