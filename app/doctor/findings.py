"""What an examination says: one finding for each thing looked at, with at most one repair."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """How something stands."""

    GREEN = "green"  # as it should be
    UNKNOWN = "unknown"  # nothing has proved it yet
    AMBER = "amber"  # it works, but somebody should look
    RED = "red"  # customers are affected, or soon will be


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: the cause and the effect in words, and what would mend it."""

    code: str
    state: State
    title: str
    detail: str
    repair: str | None = None  # the label of its button

    def facts(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Finding":
        """Read what `facts` gave."""
        return cls(**(facts | {"state": State(facts["state"])}))


def worst(findings: Iterable[Finding]) -> State:
    """The state of the whole."""
    order = list(State)
    return max((finding.state for finding in findings), key=order.index, default=State.GREEN)


def green(code: str, title: str, detail: str) -> Finding:
    """All is well."""
    return Finding(code=code, state=State.GREEN, title=title, detail=detail)


def unknown(code: str, title: str, detail: str) -> Finding:
    """Nothing is known to be wrong, and nothing has proved that it is right."""
    return Finding(code=code, state=State.UNKNOWN, title=title, detail=detail)


def amber(code: str, title: str, detail: str, repair: str | None = None) -> Finding:
    """Somebody should look."""
    return Finding(code=code, state=State.AMBER, title=title, detail=detail, repair=repair)


def red(code: str, title: str, detail: str, repair: str | None = None) -> Finding:
    """Customers are affected."""
    return Finding(code=code, state=State.RED, title=title, detail=detail, repair=repair)
