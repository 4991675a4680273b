"""What every change needs: the account, the cause, and a way to emit events."""

import copy
from dataclasses import dataclass, field

from app.simulator.protocol.faults.fault_settings import FaultSettings
from app.simulator.store import JSON, Clock, Collection, Store, ids

PINNED_VERSION = "2026-10-28.endive"
# The version of an account that never chose one; it is the version at sign-up.
ACCOUNT_VERSION = "2026-05-27.dahlia"


@dataclass
class Work:
    """The context of a change. Each request makes one, and each action on the hosted page.

    Events show `request` as their cause. Both its values are null when Checkout itself is the cause.
    """

    store: Store
    clock: Clock
    fault_settings: FaultSettings
    account: str
    public_url: str
    request: JSON = field(default_factory=lambda: {"id": None, "idempotency_key": None})
    by_page: bool = False
    queued: list[str] = field(default_factory=list)  # ids of the deliveries it has caused

    @property
    def now(self) -> int:
        return self.clock.now()

    def new_id(self, prefix: str) -> str:
        return ids.dated_id(prefix, self.account, self.now)

    def put(self, collection: Collection, value: JSON) -> JSON:
        """Store an object of this account under its id, and return it."""
        return collection.put(value["id"], value, self.account)

    def change(self, collection: Collection, value: JSON, **fields: object) -> JSON:
        """Store a copy of the object with these fields changed, and return the copy."""
        return self.put(collection, copy.deepcopy(value) | fields)

    def note(self, key: str) -> JSON:
        """Return the facts about an object that Stripe does not show."""
        return self.store.notes.get(key, {})

    def add_note(self, key: str, **facts: object) -> None:
        self.store.notes.put(key, self.note(key) | facts, self.account)

    def emit(self, kind: str, value: JSON, previous: JSON | None = None) -> JSON:
        """Record an event, and queue a delivery to every endpoint that takes it."""
        data: JSON = {"object": copy.deepcopy(value)}
        if previous is not None:
            data["previous_attributes"] = copy.deepcopy(previous)
        endpoints, settings = self.endpoints_for(kind), self.fault_settings
        event: JSON = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": self.store.accounts_version(self.account),
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": self.request,
            "type": kind,
        }
        self.put(self.store.events, event)
        if settings.event_lag:
            self.add_note(event["id"], listed=self.clock.precise() + settings.event_lag)
        for endpoint in endpoints:
            for _ in range(settings.duplicate + settings.happens(settings.duplicate_rate)):
                self.queue(event["id"], endpoint["id"])
        return event

    def endpoints_for(self, kind: str) -> list[JSON]:
        """Return the enabled endpoints that take events of this type."""
        endpoints = self.store.webhook_endpoints.newest(self.account)
        return [endpoint for endpoint in endpoints if _takes(endpoint, kind)]

    def queue(self, event: str, endpoint: str) -> None:
        """Queue one delivery, for the time that the fault settings give."""
        settings = self.fault_settings
        if settings.happens(settings.lose_rate):
            return
        wait = settings.delay + settings.random.uniform(0, settings.delay_max)
        if self.by_page:
            if settings.webhook == "never":
                return
            # With "before", the page itself delivers before its redirect, so the threads must wait.
            wait += {"before": 30.0, "after": 1.0}.get(settings.webhook, 0.0)
        key = "dlv_" + ids.random_text(16)
        delivery = {"id": key, "event": event, "endpoint": endpoint, "tries": 0}
        self.put(self.store.deliveries, delivery | {"due": self.clock.precise() + wait})
        self.queued.append(key)


def _takes(endpoint: JSON, kind: str) -> bool:
    types = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in types or kind in types)


def previous_attributes(old: JSON, new: JSON) -> JSON:
    """Return the old values of the changed fields, at the depth of the change.

    A map that lost a key shows the old value. One that gained a key shows null for it.
    """
    before: JSON = {}
    for name in [*old, *(key for key in new if key not in old)]:
        was, became = old.get(name), new.get(name)
        if was == became:
            continue
        if isinstance(was, dict) and isinstance(became, dict):
            before[name] = previous_attributes(was, became)
        else:
            before[name] = was
    return before
