"""What a run of chaos found out, as a value and as text."""

from collections import Counter
from dataclasses import dataclass, field

from tests.support.truth import Verdict


@dataclass
class Report:
    """The result: what the portal and Stripe hold at the end, and what happened on the way."""

    people: int  # who went on until they were at Stripe
    besides: int = 0  # customers of programs, and of people who left for good
    agreeing: int = 0
    lost: list[str] = field(default_factory=list)  # people without their checkout session in the portal
    misled: list[str] = field(default_factory=list)  # people who were told that a card is saved when none was
    stranded: list[str] = field(default_factory=list)  # customers that never reached Stripe
    undone: list[str] = field(default_factory=list)  # choices and edits that were confirmed and do not hold
    gave_up: list[str] = field(default_factory=list)  # people who gave up because nothing worked in time
    verdict: Verdict | None = None
    numbers: Counter[str] = field(default_factory=Counter)
    seconds: float = 0

    @property
    def is_good(self) -> bool:
        """Is everybody there, and nobody lost, doubled or wrong?"""
        is_complete = self.agreeing == self.people + self.besides
        bad = (self.lost, self.misled, self.stranded, self.undone, self.gave_up)
        return is_complete and bool(self.verdict) and not any(bad)

    def __str__(self) -> str:
        verdict = Verdict(0, [], [], [], []) if self.verdict is None else self.verdict
        lines = {
            "people": self.people,
            "customers besides": self.besides,
            "agreeing with Stripe": self.agreeing,
            "lost": self.lost,
            "doubled": verdict.doubled,
            "wrong": verdict.wrong,
            "misled": self.misled,
            "not at Stripe": self.stranded,
            "undone": self.undone,
            "gave up": self.gave_up,
            "orphaned Stripe customers": verdict.orphans,
            "unfinished events": verdict.unfinished,
            **dict(sorted(self.numbers.items())),
            "seconds": round(self.seconds),
        }
        return "\n".join(f"{name:30} {_short(value)}" for name, value in lines.items())


def _short(value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    return f"{len(value)}" + "".join(f"\n    {text}" for text in value[:10])
