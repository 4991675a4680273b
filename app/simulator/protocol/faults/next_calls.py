"""Faults of the next API calls, as ordered by a test or by chance."""

import threading
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

from app.simulator.protocol.errors import StripeError, rate_limited
from app.simulator.protocol.faults.fault_settings import FaultSettings, check_fault

MAX_SECONDS = 86_400  # that a fault takes


@dataclass
class Fault:
    """A fault for the next calls of a route."""

    kind: str
    route: str  # a pattern such as "POST /v1/customers" or "* /v1/checkout/*"
    times: int
    seconds: float


class Faults:
    """The faults that wait for a call, and those that the fault settings add at random."""

    def __init__(self, settings: FaultSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, kind: str, route: str = "*", times: int = 1, *, seconds: float | None = None) -> None:
        """Give the next `times` calls of `route` a fault.

        `seconds` is how long `slow` takes (2), how long a timeout lets an HTTP caller wait (60), or the
        `Retry-After` of `429`. Raises ValueError for an unknown kind and for impossible numbers.
        """
        if times < 1:
            raise ValueError("A fault happens at least once.")
        if seconds is not None and not 0 <= seconds <= MAX_SECONDS:
            raise ValueError(f"A fault takes from 0 to {MAX_SECONDS} seconds.")
        default = {"slow": 2.0, "429": 0.0, "lock": 0.0}.get(kind, 60.0)
        fault = Fault(check_fault(kind), route, times, default if seconds is None else seconds)
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """Return this call's fault, if any: the first that waits for it, or one by chance."""
        with self._lock:
            for fault in self._waiting:
                if fault.route == "*" or fnmatchcase(f"{method} {path}", fault.route):
                    fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
                    return fault
        settings = self._settings
        kinds = settings.error_kinds.split()
        if kinds and settings.happens(settings.error_rate):
            return Fault(settings.random.choice(kinds), "*", 1, settings.error_seconds)
        return None

    def outage(self) -> Fault | None:
        """Return the fault of every call during an outage."""
        kind = self._settings.outage
        return Fault(kind, "*", 1, 60.0) if kind else None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def state(self) -> list[dict[str, object]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]


class Garbled(Exception):
    """The change is done, but a proxy answers in Stripe's place."""


class NoAnswer(TimeoutError):
    """The caller gets no answer. At a socket it waits for `seconds` first."""

    def __init__(self, seconds: float) -> None:
        super().__init__("The simulator gives no answer: a fault says so.")
        self.seconds = seconds


def refuse(fault: Fault | None) -> None:
    """Raise the error of a fault that answers before the request is read."""
    match fault.kind if fault else None:
        case "429":
            raise rate_limited(fault.seconds if fault else 0)
        case "lock":
            raise StripeError(
                "This object cannot be accessed right now because another API request or Stripe process "
                "is currently accessing it. If you see this error intermittently, retry the request. If "
                "you see this error frequently and are making multiple concurrent requests to a single "
                "object, make your requests serially or at a lower rate.",
                status=429,
                code="lock_timeout",
            )
        case "503":
            message = "Stripe is unavailable at the moment. Please try again later."
            raise StripeError(message, status=503, kind="api_error")


def disconnect(fault: Fault | None, timeout: str, reset: str) -> None:
    """Raise for a fault of these kinds, which gives no answer. The transport turns it into a broken call."""
    if fault and fault.kind == timeout:
        raise NoAnswer(fault.seconds)
    if fault and fault.kind == reset:
        raise ConnectionResetError("The simulator cut the connection: a fault says so.")


def fail(fault: Fault | None, kind: str) -> None:
    """Raise a 500 for a fault of this kind. What the call has done so far remains."""
    if fault and fault.kind == kind:
        raise StripeError("An unknown error occurred.", status=500, kind="api_error", happened=True)
