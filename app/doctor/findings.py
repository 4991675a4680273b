"""The result of an examination: one finding for each check, with at most one repair."""

from collections.abc import Iterable
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from app.core.values import frozen


class State(StrEnum):
    """The state of one check."""

    GREEN = "green"  # as it should be
    UNKNOWN = "unknown"  # not proved yet
    AMBER = "amber"  # it works, but somebody should look
    RED = "red"  # it affects customers, or soon will


@frozen(kw_only=True)
class Finding:
    """One check: the cause and the effect in words, and a repair."""

    code: str
    state: State
    title: str
    detail: str
    repair: str | None = None  # the label of its button

    def facts(self) -> dict[str, Any]:
        """Return it as JSON."""
        return asdict(self)

    @classmethod
    def of(cls, facts: dict[str, Any]) -> "Finding":
        """Read the JSON of `facts`."""
        return cls(**(facts | {"state": State(facts["state"])}))


def worst(findings: Iterable[Finding]) -> State:
    """Return the worst state."""
    order = list(State)
    return max((finding.state for finding in findings), key=order.index, default=State.GREEN)


def green(code: str, title: str, detail: str) -> Finding:
    """Make a finding: all is well."""
    return Finding(code=code, state=State.GREEN, title=title, detail=detail)


def unknown(code: str, title: str, detail: str) -> Finding:
    """Make a finding: nothing has proved it right or wrong."""
    return Finding(code=code, state=State.UNKNOWN, title=title, detail=detail)


def amber(code: str, title: str, detail: str, repair: str | None = None) -> Finding:
    """Make a finding: somebody should look."""
    return Finding(code=code, state=State.AMBER, title=title, detail=detail, repair=repair)


def red(code: str, title: str, detail: str, repair: str | None = None) -> Finding:
    """Make a finding: it affects customers."""
    return Finding(code=code, state=State.RED, title=title, detail=detail, repair=repair)
