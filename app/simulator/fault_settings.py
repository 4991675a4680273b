"""What can be turned to make deliveries late, doubled, lost or wrong, and the API slow or broken."""

import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase

WEBHOOK_TIMES = ("with", "before", "after", "never")

FAULTS = (
    "429",  # rate limit
    "lock",  # 429 lock_timeout
    "500",  # after which the same Idempotency-Key gets the same 500 again, as at Stripe
    "500_after",  # the same, but done
    "503",  # from the edge: nothing was stored
    "timeout",  # no answer, nothing done
    "timeout_after",  # no answer, but done
    "reset",  # the connection is cut, nothing done
    "reset_after",  # the connection is cut, but done
    "garbled_after",  # done, but what comes back is the page of some proxy
    "slow",  # answered after some seconds
)
OUTAGES = ("", "503", "timeout", "reset")


@dataclass
class FaultSettings:
    """How deliveries and calls go, and how strict the simulator is; a well-behaved Stripe by default.

    A rate is the share of cases, from 0 to 1, that it befalls at random; `dice` says which.
    """

    delay: float = 0.0  # seconds before the first try
    delay_max: float = 0.0  # and up to so many more, at random
    duplicate: int = 1  # deliveries of every event to every endpoint
    duplicate_rate: float = 0.0  # and one more of some
    shuffle: bool = False  # what is due at one time goes out in random order
    drop_first: int = 0  # tries of every delivery that get lost on the way
    drop_rate: float = 0.0  # tries that get lost on the way; the next one may come through
    lose_rate: float = 0.0  # deliveries that are never made
    drop_all: bool = False
    hold: bool = False  # nothing goes out until this is off again
    wrong_secret: bool = False
    missign_rate: float = 0.0  # tries that are signed with a wrong secret
    stale: bool = False  # signed with a time stamp ten minutes old
    two_signatures: bool = False  # as while a secret is being rolled: another one's, then the right one
    wrong_livemode: bool = False
    webhook: str = "with"  # the hosted page's events, seen from its redirect: with, before, after, never
    outage: str = ""  # how every call of the API fails until this is blank again: 503, timeout, reset
    error_rate: float = 0.0  # calls that meet a fault
    error_kinds: str = " ".join(FAULTS)  # which faults those are
    error_seconds: float = 2.0  # how long such a fault keeps the caller waiting
    latency: float = 0.0  # seconds that every call takes
    rate_limit: int = 0  # calls a second for each account, before they get 429; 0: no limit
    event_lag: float = 0.0  # seconds until a new event stands in the list of events
    strict_urls: bool = False  # webhook URLs must be public, as Stripe demands
    terms_url: bool = False  # the account has told Stripe where its terms of service are
    search_lag: float = 0.0  # seconds until a new customer is found by search

    def __post_init__(self) -> None:
        self.random = random.Random()  # noqa: S311 - no secret

    def happens(self, rate: float) -> bool:
        """Throw the dice for something that happens at this rate."""
        return self.random.random() < rate

    def change(self, wanted: Mapping[str, object]) -> None:
        """Turn several at once, from text or plain values; raises ValueError and turns none."""
        changes = {name: _value(name, value) for name, value in wanted.items()}
        for name, value in changes.items():
            setattr(self, name, value)

    def reset(self) -> None:
        self.change(asdict(FaultSettings()))

    def state(self) -> dict[str, object]:
        return asdict(self)


_CHOICES = {"webhook": WEBHOOK_TIMES, "outage": OUTAGES}


def _value(name: str, value: object) -> object:
    kinds = {name: type(usual) for name, usual in asdict(FaultSettings()).items()}
    if name not in kinds:
        raise ValueError(f"There is no fault setting named {name}.")
    if kinds[name] is bool:
        if str(value).lower() not in {"true", "false", "1", "0", "on", "off", ""}:
            raise ValueError(f"{name} is on or off.")
        return str(value).lower() in {"true", "1", "on"}
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise ValueError(f"{name} is one of {', '.join(filter(None, _CHOICES[name]))}.")
        return value
    if name == "error_kinds":
        return " ".join(_fault_kind(kind) for kind in str(value).split())
    number = kinds[name](str(value))
    least, most = (1 if name == "duplicate" else 0), (1 if name.endswith("_rate") else 1e9)
    if not least <= number <= most:
        raise ValueError(f"{name} is out of range.")
    return number


@dataclass
class Fault:
    """Something that goes wrong with the next calls of a route."""

    kind: str
    route: str  # a pattern such as "POST /v1/customers" or "* /v1/checkout/*"
    times: int
    seconds: float


class Faults:
    """The faults that wait for their calls, and those that come by chance."""

    def __init__(self, fault_settings: FaultSettings | None = None) -> None:
        self._fault_settings = fault_settings or FaultSettings()
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, kind: str, route: str = "*", times: int = 1, *, seconds: float | None = None) -> None:
        """Let the next `times` calls of `route` go wrong.

        `seconds` is how long `slow` takes (2) or a timeout keeps the caller waiting over HTTP (60), and
        what `429` asks the caller to wait. Raises ValueError for a kind that does not exist.
        """
        if times < 1:
            raise ValueError("A fault happens at least once.")
        usual = {"slow": 2.0, "429": 0.0, "lock": 0.0}.get(kind, 60.0)
        fault = Fault(_fault_kind(kind), route, times, usual if seconds is None else seconds)
        with self._lock:
            self._waiting.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets, if any: one that waited for it, which is used up, or by chance."""
        with self._lock:
            for fault in self._waiting:
                if fault.route == "*" or fnmatchcase(f"{method} {path}", fault.route):
                    fault.times -= 1
                    if fault.times == 0:
                        self._waiting.remove(fault)
                    return fault
        fault_settings = self._fault_settings
        kinds = fault_settings.error_kinds.split()
        if kinds and fault_settings.happens(fault_settings.error_rate):
            return Fault(fault_settings.random.choice(kinds), "*", 1, fault_settings.error_seconds)
        return None

    def outage(self) -> Fault | None:
        """What befalls every call while the whole API is away."""
        kind = self._fault_settings.outage
        return Fault(kind, "*", 1, 60.0) if kind else None

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def state(self) -> list[dict[str, object]]:
        with self._lock:
            return [asdict(fault) for fault in self._waiting]


def _fault_kind(kind: str) -> str:
    if kind not in FAULTS:
        raise ValueError(f"{kind} is not one of {', '.join(FAULTS)}.")
    return kind


class Pace:
    """How many calls each account has made in the running second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._second = 0
        self._calls: dict[str, int] = {}

    def allows(self, account: str, now: float, limit: int) -> bool:
        """Count a call; False when it is one too many. A limit of 0 is none."""
        with self._lock:
            if int(now) != self._second:
                self._second, self._calls = int(now), {}
            self._calls[account] = self._calls.get(account, 0) + 1
            return not limit or self._calls[account] <= limit
