"""The queue of deliveries: every event to every endpoint that takes it, until the endpoint answers 2xx.

Source: https://docs.stripe.com/webhooks. The store holds the pending deliveries, so a restart continues
them. A delivery that was running when the process died is repeated.
"""

import heapq
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from app.simulator.protocol.deliveries import attempt as delivery
from app.simulator.protocol.deliveries.post import Send, post
from app.simulator.protocol.faults.fault_settings import FaultSettings
from app.simulator.store import Clock, Store


class _Plan(NamedTuple):
    """When a delivery is due. It is void when the store has another time for the delivery, or none."""

    due: float
    position: int
    key: str


class Deliveries:
    """Makes the deliveries when they are due. Replace `send` to post them another way."""

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
        self._plans: list[_Plan] = []  # a heap, the next one first
        self._ready: list[_Plan] = []  # due, but not yet running
        self._running_keys: set[str] = set()
        self._threads: list[threading.Thread] = []
        self._running = False
        for key in store.deliveries:
            self._plan(key)

    def start(self, workers: int = 8) -> None:
        """Deliver in background threads."""
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
        """Stop the threads, without waiting for an answer that is still missing."""
        with self._wake:
            self._running = False
            self._wake.notify_all()
        for thread in self._threads:
            thread.join(timeout=0.1)
        self._threads = []

    def plan_changed(self, changes: Iterable[tuple[str, str]]) -> None:
        """Plan the deliveries that a transaction has changed. See `Store.committed`."""
        keys = [key for collection, key in changes if collection == self._store.deliveries.name]
        if keys:
            with self._wake:
                for key in keys:
                    self._plan(key)
                self._wake.notify_all()

    def wake(self) -> None:
        """Wake the threads after the clock or a fault setting has changed."""
        with self._wake:
            self._wake.notify_all()

    def deliver_due(self) -> int:
        """Attempt each due delivery once, in this thread. Return the number of attempts.

        This includes deliveries that fall due because of these attempts.
        """
        tried: set[str] = set()
        while key := self._claim(tried):
            tried.add(key)
            self._attempt(key)
        return len(tried)

    def deliver(self, keys: Iterable[str]) -> None:
        """Attempt these deliveries now, even if they are due later."""
        for key in keys:
            with self._wake:
                if key in self._running_keys:
                    continue
                self._running_keys.add(key)
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
                return  # the store has closed
            with self._wake:
                self._wake.wait(self._seconds_to_wait() if self._running else 0)

    def _seconds_to_wait(self) -> float:
        """Return the time until the next delivery is due. At most a second, because sessions expire too."""
        if self._settings.hold:
            return 1.0
        wait = self._plans[0].due - self._clock.precise() if self._plans else 1.0
        return max(min(1.0, wait), 0.01)

    def _plan(self, key: str) -> None:
        """Plan a delivery if the store still has it."""
        row = self._store.deliveries.row(key)
        if row is not None:
            heapq.heappush(self._plans, _Plan(row.value["due"], row.position, key))

    def _is_due(self, plan: _Plan) -> bool:
        stored = self._store.deliveries.get(plan.key)
        return stored is not None and stored["due"] == plan.due and plan.key not in self._running_keys

    def _claim(self, tried: Collection[str] = ()) -> str | None:
        """Claim a due delivery for this thread, and return its id."""
        if self._settings.hold:
            return None
        now = self._clock.precise()
        with self._wake:
            while self._plans and self._plans[0].due <= now:
                self._ready.append(heapq.heappop(self._plans))
            later = []
            try:
                while self._ready:
                    index = self._settings.random.randrange(len(self._ready)) if self._settings.shuffle else 0
                    plan = self._ready.pop(index)
                    if plan.key in tried:
                        later.append(plan)
                    elif self._is_due(plan):
                        self._running_keys.add(plan.key)
                        return plan.key
                return None
            finally:
                self._ready.extend(later)

    def _attempt(self, key: str) -> None:
        try:
            pending = self._store.deliveries.get(key)
            if pending is not None:
                delivery.attempt(
                    self._store,
                    self._clock,
                    self._settings,
                    pending,
                    send=self.send,
                    retry_schedule=self._retry_schedule,
                )
        finally:
            with self._wake:
                self._running_keys.discard(key)
                self._plan(key)  # `_claim` skips a running one, and a failed write plans nothing
