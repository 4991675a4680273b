"""One piece of work: in which account it happens, who caused it, and the events it leaves."""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field

from app.simulator import ids
from app.simulator.clock import Clock
from app.simulator.fault_settings import FaultSettings
from app.simulator.shapes import JSON
from app.simulator.store import Collection, Store

PINNED_VERSION = "2026-10-28.endive"
# What an account gets that never chose a version, as the account of someone who signed up in May did.
ACCOUNT_VERSION = "2026-05-27.dahlia"


@dataclass
class Work:
    """What a rule needs to do its part; a request and the hosted page each make one.

    `request` is what events say of their cause: null twice for what Checkout does on its own.
    """

    store: Store
    clock: Clock
    fault_settings: FaultSettings
    account: str
    public_url: str
    request: JSON = field(default_factory=lambda: {"id": None, "idempotency_key": None})
    by_page: bool = False
    queued: list[str] = field(default_factory=list)

    @property
    def now(self) -> int:
        return self.clock.now()

    def new_id(self, prefix: str) -> str:
        return ids.dated(prefix, self.account, self.now)

    def keep(self, collection: Collection, thing: JSON) -> JSON:
        """Write an object under its id, as one of this account's."""
        return collection.put(thing["id"], thing, self.account)

    def change(self, collection: Collection, thing: JSON, **fields: object) -> JSON:
        """Write a copy of the object with other values in those fields."""
        return self.keep(collection, copy.deepcopy(thing) | fields)

    def note(self, key: str) -> JSON:
        """What the simulator remembers of an object beside what Stripe shows."""
        return self.store.notes.get(key, {})

    def remark(self, key: str, **facts: object) -> None:
        self.store.notes.put(key, self.note(key) | facts, self.account)

    def emit(self, kind: str, thing: JSON, previous: JSON | None = None) -> JSON:
        """Record an event and queue its deliveries to every endpoint that wants it."""
        data: JSON = {"object": copy.deepcopy(thing)}
        if previous is not None:
            data["previous_attributes"] = copy.deepcopy(previous)
        takers, settings = self.takers(kind), self.fault_settings
        event: JSON = {
            "id": self.new_id("evt"),
            "object": "event",
            "api_version": self.store.accounts_version(self.account),
            "created": self.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": len(takers),
            "request": self.request,
            "type": kind,
        }
        self.keep(self.store.events, event)
        if settings.event_lag:
            self.remark(event["id"], listed=self.clock.precise() + settings.event_lag)
        for endpoint in takers:
            for _ in range(settings.duplicate + settings.happens(settings.duplicate_rate)):
                self.queue(event["id"], endpoint["id"])
        return event

    def takers(self, kind: str) -> list[JSON]:
        """The endpoints that want events of this kind."""
        endpoints = self.store.webhook_endpoints.newest(self.account)
        return [endpoint for endpoint in endpoints if _wants(endpoint, kind)]

    def queue(self, event: str, endpoint: str) -> None:
        """Plan the first try of one delivery, when the fault settings say."""
        settings = self.fault_settings
        if settings.happens(settings.lose_rate):
            return
        wait = settings.delay + settings.random.uniform(0, settings.delay_max)
        if self.by_page:
            if settings.webhook == "never":
                return
            # Before the redirect the page itself makes the try; the others keep away meanwhile.
            wait += {"before": 30.0, "after": 1.0}.get(settings.webhook, 0.0)
        key = "dlv_" + ids.random_text(16)
        delivery = {"id": key, "event": event, "endpoint": endpoint, "tries": 0}
        self.keep(self.store.deliveries, delivery | {"due": self.clock.precise() + wait})
        self.queued.append(key)


@dataclass
class Call(Work):
    """An API request on its way through a handler."""

    params: JSON = field(default_factory=dict)
    path: dict[str, str] = field(default_factory=dict)
    version: str = PINNED_VERSION
    url: str = ""


Handler = Callable[[Call], JSON]

OPERATIONS: dict[str, Handler] = {}


def operation(name: str) -> Callable[[Handler], Handler]:
    """Register the handler of, say, "POST /v1/customers/{customer}"; the path's words go in `path`."""

    def register(handler: Handler) -> Handler:
        OPERATIONS[name] = handler
        return handler

    return register


def _wants(endpoint: JSON, kind: str) -> bool:
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or kind in wanted)


def previous(old: JSON, new: JSON) -> JSON:
    """What `previous_attributes` says of a change: the old values, no deeper than they differ.

    A map that lost a key shows the old value; one that gained a key shows null for it.
    """
    before: JSON = {}
    for name in [*old, *(key for key in new if key not in old)]:
        was, became = old.get(name), new.get(name)
        if was == became:
            continue
        if isinstance(was, dict) and isinstance(became, dict):
            before[name] = previous(was, became)
        else:
            before[name] = was
    return before
