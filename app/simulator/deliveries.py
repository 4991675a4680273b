"""Deliveries: every event to every endpoint that wants it, signed, and again until it is taken.

Source: https://docs.stripe.com/webhooks. What is still to be delivered stands in the store, so that it is
delivered after a restart too. A delivery that was under way when the process died is made once more.
"""

import hashlib
import heapq
import hmac
import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from app.simulator import ids, versions
from app.simulator.clock import Clock
from app.simulator.fault_settings import FaultSettings
from app.simulator.shapes import JSON
from app.simulator.store import Store

Send = Callable[[str, bytes, dict[str, str]], int]

_STALE = 600  # seconds; twice what the SDK tolerates


class _Plan(NamedTuple):
    """When a delivery is due. It is void once the store says otherwise of the same delivery."""

    due: float
    position: int
    key: str


class Deliveries:
    """The post office. `send` may be replaced; it gets a URL, a body and headers, and gives a status."""

    def __init__(
        self, store: Store, clock: Clock, settings: FaultSettings, retry_schedule: Sequence[float]
    ) -> None:
        self.send: Send = post
        self.tick: Callable[[], None] = lambda: None
        self._store = store
        self._clock = clock
        self._settings = settings
        self._retry_schedule = tuple(retry_schedule)
        self._wake = threading.Condition()
        self._plans: list[_Plan] = []  # a heap: the next one first
        self._ready: list[_Plan] = []  # whose time has come
        self._under_way: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._running = False
        for key in store.deliveries:
            self._plan(key)

    def start(self, workers: int = 8) -> None:
        """Deliver in threads of its own, several at a time."""
        if self._running:
            return
        self._running = True
        self._threads = [
            threading.Thread(target=self._work, name=f"simulator-delivery-{n}", daemon=True)
            for n in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop at once; a delivery that waits for an answer is not waited for."""
        with self._wake:
            self._running = False
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=0.1)
        self._threads = []

    def changed(self, things: Iterable[tuple[str, str]]) -> None:
        """The store has changed in these places; see `Store.committed`."""
        keys = [key for collection, key in things if collection == self._store.deliveries.name]
        if keys:
            with self._wake:
                for key in keys:
                    self._plan(key)
                self._wake.notify_all()

    def wake(self) -> None:
        """The clock or a fault setting has changed."""
        with self._wake:
            self._wake.notify_all()

    def deliver_due(self) -> int:
        """Try everything that is due now, once, in this thread; how many tries that were.

        What falls due because of these very deliveries is tried too.
        """
        tried: set[str] = set()
        while key := self._claim(tried):
            tried.add(key)
            self._attempt(key)
        return len(tried)

    def deliver(self, keys: Iterable[str]) -> None:
        """Try these now, whenever they are due."""
        for key in keys:
            with self._wake:
                if key in self._under_way:
                    continue
                self._under_way.add(key)
            self._attempt(key)

    def _work(self) -> None:
        while self._running:
            try:
                self.tick()
                key = self._claim()
                if key is not None:
                    self._attempt(key)
                    continue
            except RuntimeError:
                return  # the store was closed meanwhile
            with self._wake:
                self._wake.wait(self._until_next() if self._running else 0)

    def _until_next(self) -> float:
        """Seconds until the next delivery is due; at most one, because sessions expire too."""
        if self._settings.hold:
            return 1.0
        wait = self._plans[0].due - self._clock.precise() if self._plans else 1.0
        return max(min(1.0, wait), 0.01)

    def _plan(self, key: str) -> None:
        """Put a delivery in the order of time, if it is still to be made."""
        row = self._store.deliveries.row(key)
        if row is not None:
            heapq.heappush(self._plans, _Plan(row.value["due"], row.position, key))

    def _is_due(self, plan: _Plan) -> bool:
        delivery = self._store.deliveries.get(plan.key)
        return delivery is not None and delivery["due"] == plan.due and plan.key not in self._under_way

    def _claim(self, tried: Collection[str] = ()) -> str | None:
        """A delivery that is due and that nobody else has in hand; this thread has it from now on."""
        if self._settings.hold:
            return None
        now = self._clock.precise()
        with self._wake:
            while self._plans and self._plans[0].due <= now:
                self._ready.append(heapq.heappop(self._plans))
            later = []
            try:
                while self._ready:
                    at = self._settings.random.randrange(len(self._ready)) if self._settings.shuffle else 0
                    plan = self._ready.pop(at)
                    if plan.key in tried:
                        later.append(plan)
                    elif self._is_due(plan):
                        self._under_way.add(plan.key)
                        return plan.key
                return None
            finally:
                self._ready.extend(later)

    def _attempt(self, key: str) -> None:
        """Make one try and write down how it went."""
        try:
            delivery = self._store.deliveries.get(key)
            if delivery is not None:
                self._try(delivery)
        finally:
            with self._wake:
                self._under_way.discard(key)
                self._plan(key)  # it may have been passed over meanwhile, or not be written down

    def _try(self, delivery: JSON) -> None:
        store = self._store
        account = store.deliveries.owner(delivery["id"])
        endpoint = store.webhook_endpoints.get(delivery["endpoint"])
        event = store.events.get(delivery["event"])
        number = delivery["tries"] + 1
        status, error = None, None
        gone = endpoint is None or event is None or endpoint["status"] != "enabled"
        if endpoint is None or event is None or gone:
            error = "The endpoint is gone."
        elif self._is_dropped(number):
            error = "Dropped by the fault settings."
        else:
            try:
                status = self._post(account, endpoint, event)
            except Exception as problem:  # noqa: BLE001 - whatever `send` meets is a failed try
                error = f"{type(problem).__name__}: {problem}"[:200]
        made = {
            "event": delivery["event"],
            "endpoint": delivery["endpoint"],
            "try": number,
            "at": self._clock.now(),
            "status": status,
            "error": error,
        }
        taken = status is not None and 200 <= status < 300
        with store.transaction():
            store.tries.put("try_" + ids.random_text(16), made, account)
            if taken or gone or number > len(self._retry_schedule):
                store.deliveries.pop(delivery["id"], None)
            else:
                due = self._clock.precise() + self._retry_schedule[number - 1]
                store.deliveries.put(delivery["id"], delivery | {"tries": number, "due": due}, account)
            if taken:
                self._note_taken(delivery, account)

    def _is_dropped(self, number: int) -> bool:
        settings = self._settings
        return settings.drop_all or number <= settings.drop_first or settings.happens(settings.drop_rate)

    def _note_taken(self, delivery: JSON, account: str) -> None:
        """One endpoint less waits for the event, unless this was only a duplicate."""
        event = self._store.events[delivery["event"]]
        place = f"{delivery['event']}/{delivery['endpoint']}"
        if place not in self._store.notes:
            self._store.notes.put(place, {"delivered": True}, account)
            left = max(event["pending_webhooks"] - 1, 0)
            self._store.events.put(event["id"], event | {"pending_webhooks": left}, account)

    def _post(self, account: str, endpoint: JSON, event: JSON) -> int:
        version = endpoint["api_version"] or self._store.accounts_version(account)
        shown = versions.rendered_event(event, version)
        if self._settings.wrong_livemode:
            shown["livemode"] = not shown["livemode"]
        body = json.dumps(shown, indent=2).encode()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
            "Stripe-Signature": self._signature(endpoint["id"], body),
        }
        return self.send(endpoint["url"], body, headers)

    def _signature(self, endpoint: str, body: bytes) -> str:
        """Signed anew for every try, by the world's clock: that is the one the receiver has."""
        settings, note = self._settings, self._store.notes[endpoint]
        moment = int(time.time()) - (_STALE if settings.stale else 0)
        secrets: list[str] = [note["secret"]]
        if note.get("old_until", 0) > self._clock.precise():  # rolled, and the old one is good for a while
            secrets.append(note["old_secret"])
        if settings.wrong_secret or settings.happens(settings.missign_rate):
            secrets = [ids.webhook_secret()]
        if settings.two_signatures:
            secrets.insert(0, ids.webhook_secret())
        values = [signature(secret, moment, body) for secret in secrets]
        return ",".join([f"t={moment}", *(f"v1={value}" for value in values)])


def signature(secret: str, moment: int, body: bytes) -> str:
    """The v1 scheme: HMAC-SHA256 of time stamp, full stop and body, in lower-case hex."""
    return hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()


def post(url: str, body: bytes, headers: dict[str, str]) -> int:
    """POST over HTTP within 10 seconds, following no redirect; the status of the answer."""
    request = urllib.request.Request(url, data=body, headers=headers, method="POST")  # noqa: S310
    try:
        with _OPENER.open(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object, **_more: object) -> None:
        """A redirect is no delivery."""


# No proxies: a simulator talks to the machine it runs on.
_OPENER = urllib.request.build_opener(_NoRedirects, urllib.request.ProxyHandler({}))
