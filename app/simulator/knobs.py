"""What can be turned to make deliveries late, doubled, lost or wrong, and the API fail."""

import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

WEBHOOK_TIMES = ("with", "before", "after", "never")


@dataclass
class Knobs:
    """How deliveries go, and how strict the simulator is. All of it as a well-behaved Stripe by default."""

    delay: float = 0.0  # seconds before the first try
    duplicate: int = 1  # deliveries of every event to every endpoint
    shuffle: bool = False  # what is due at one time goes out in random order
    drop_first: int = 0  # tries of every delivery that get lost on the way
    drop_all: bool = False
    hold: bool = False  # nothing goes out until this is off again
    wrong_secret: bool = False
    stale: bool = False  # signed with a time stamp ten minutes old
    two_signatures: bool = False  # as while a secret is being rolled: another one's, then the right one
    wrong_livemode: bool = False
    webhook: str = "with"  # the hosted page's events, seen from its redirect: with, before, after, never
    strict_urls: bool = False  # webhook URLs must be public, as Stripe demands
    terms_url: bool = False  # the account has told Stripe where its terms of service are
    search_lag: float = 0.0  # seconds until a new customer is found by search

    def change(self, wanted: Mapping[str, object]) -> None:
        """Turn several at once, from text or plain values; raises ValueError and turns none."""
        changes = {name: self._value(name, value) for name, value in wanted.items()}
        for name, value in changes.items():
            setattr(self, name, value)

    def reset(self) -> None:
        self.change(asdict(Knobs()))

    def state(self) -> dict[str, object]:
        return asdict(self)

    def _value(self, name: str, value: object) -> object:
        kinds = {knob: type(value) for knob, value in asdict(Knobs()).items()}
        if name not in kinds:
            raise ValueError(f"There is no knob named {name}.")
        if kinds[name] is bool:
            if str(value).lower() not in {"true", "false", "1", "0", "on", "off", ""}:
                raise ValueError(f"{name} is on or off.")
            return str(value).lower() in {"true", "1", "on"}
        if name == "webhook":
            if value not in WEBHOOK_TIMES:
                raise ValueError(f"webhook is one of {', '.join(WEBHOOK_TIMES)}.")
            return value
        number = kinds[name](str(value))
        if number < (1 if name == "duplicate" else 0) or not number < 1e9:
            raise ValueError(f"{name} is out of range.")
        return number


FAULTS = (
    "429",  # rate limit
    "lock",  # 429 lock_timeout
    "500",  # after which the same Idempotency-Key gets the same 500 again, as at Stripe
    "503",  # from the edge: nothing was stored
    "timeout",  # no answer, nothing done
    "timeout_after",  # no answer, but done
    "reset",  # the connection is cut, nothing done
    "reset_after",  # the connection is cut, but done
    "slow",  # answered after some seconds
)


@dataclass
class Fault:
    """Something that goes wrong with the next calls of a route."""

    kind: str
    route: str  # a pattern such as "POST /v1/customers" or "* /v1/checkout/*"
    times: int
    seconds: float


class Faults:
    """The faults that wait for their calls."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, kind: str, route: str = "*", times: int = 1, *, seconds: float | None = None) -> None:
        """Let the next `times` calls of `route` go wrong.

        `seconds` is how long `slow` takes (2) or a timeout keeps the caller waiting over HTTP (60).
        Raises ValueError for a kind that does not exist.
        """
        if kind not in FAULTS:
            raise ValueError(f"{kind} is not one of {', '.join(FAULTS)}.")
        if times < 1:
            raise ValueError("A fault happens at least once.")
        wait = seconds if seconds is not None else 2.0 if kind == "slow" else 60.0
        with self._lock:
            self._waiting.append(Fault(kind, route, times, wait))

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets, if any; it is used up."""
        with self._lock:
            for fault in self._waiting:
                if fault.route == "*" or fnmatchcase(f"{method} {path}", fault.route):
                    fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def state(self) -> list[dict[str, object]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]
