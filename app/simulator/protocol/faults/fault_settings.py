"""The settings that make deliveries late, duplicate, lost or wrong, and the API slow or broken."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass

WEBHOOK_TIMES = ("with", "before", "after", "never")

FAULTS = (
    "429",  # rate limit
    "lock",  # 429 lock_timeout
    "500",  # nothing done; as at Stripe, the same Idempotency-Key gets the same 500 again
    "500_after",  # the same, but the change is done
    "503",  # from the edge; nothing stored
    "timeout",  # no answer, nothing done
    "timeout_after",  # no answer, but the change is done
    "reset",  # the connection breaks, nothing done
    "reset_after",  # the connection breaks, but the change is done
    "garbled_after",  # the change is done, but the answer is a proxy's page
    "slow",  # a correct answer after some seconds
)
OUTAGES = ("", "503", "timeout", "reset")


@dataclass
class FaultSettings:
    """How the simulator misbehaves. By default it does not.

    A rate is a share of the cases, from 0 to 1, chosen at random. Seed `random` to repeat a run.
    """

    delay: float = 0.0  # seconds before the first attempt
    delay_max: float = 0.0  # and up to this many more, at random
    duplicate: int = 1  # deliveries of each event to each endpoint
    duplicate_rate: float = 0.0  # share of deliveries with one more copy
    shuffle: bool = False  # due deliveries go out in random order
    drop_first: int = 0  # lost attempts of each delivery
    drop_rate: float = 0.0  # share of attempts lost on the way
    lose_rate: float = 0.0  # share of deliveries never attempted
    drop_all: bool = False
    hold: bool = False  # no delivery until this is off again
    wrong_secret: bool = False
    missign_rate: float = 0.0  # share of attempts signed with a wrong secret
    stale: bool = False  # signed with a timestamp ten minutes old
    two_signatures: bool = False  # another secret's signature, then the right one, as during a roll
    wrong_livemode: bool = False
    webhook: str = "with"  # when the hosted page's events arrive: with, before or after its redirect, never
    outage: str = ""  # how every API call fails: 503, timeout, reset; empty for no outage
    error_rate: float = 0.0  # share of calls with a fault
    error_kinds: str = " ".join(FAULTS)  # the kinds of those faults
    error_seconds: float = 2.0  # how long such a fault delays the caller
    latency: float = 0.0  # seconds that every call takes
    rate_limit: int = 0  # calls a second for each account; more get 429; 0 is no limit
    event_lag: float = 0.0  # seconds until the list of events shows a new event
    strict_urls: bool = False  # webhook URLs must be public, as at Stripe
    terms_url: bool = False  # the account has told Stripe the URL of its terms of service
    search_lag: float = 0.0  # seconds until search finds a new customer

    def __post_init__(self) -> None:
        self.random = random.Random()  # noqa: S311 - no secret

    def happens(self, rate: float) -> bool:
        """Decide at random whether a fault of this rate happens now."""
        return self.random.random() < rate

    def change(self, changes: Mapping[str, object]) -> None:
        """Change several settings, from text or plain values. Raises ValueError and then changes none."""
        values = {name: _value(name, value) for name, value in changes.items()}
        for name, value in values.items():
            setattr(self, name, value)

    def reset(self) -> None:
        self.change(asdict(FaultSettings()))

    def state(self) -> dict[str, object]:
        return asdict(self)


_CHOICES = {"webhook": WEBHOOK_TIMES, "outage": OUTAGES}


def _value(name: str, value: object) -> object:
    types = {setting: type(default) for setting, default in asdict(FaultSettings()).items()}
    if name not in types:
        raise ValueError(f"There is no fault setting named {name}.")
    if types[name] is bool:
        if str(value).lower() not in {"true", "false", "1", "0", "on", "off", ""}:
            raise ValueError(f"{name} is on or off.")
        return str(value).lower() in {"true", "1", "on"}
    if name in _CHOICES:
        if value not in _CHOICES[name]:
            raise ValueError(f"{name} is one of {', '.join(filter(None, _CHOICES[name]))}.")
        return value
    if name == "error_kinds":
        return " ".join(check_fault(kind) for kind in str(value).split())
    number = types[name](str(value))
    least, most = (1 if name == "duplicate" else 0), (1 if name.endswith("_rate") else 1e9)
    if not least <= number <= most:
        raise ValueError(f"{name} is out of range.")
    return number


def check_fault(kind: str) -> str:
    """Return the kind of fault. Raises ValueError when there is no such kind."""
    if kind not in FAULTS:
        raise ValueError(f"{kind} is not one of {', '.join(FAULTS)}.")
    return kind
