"""Print what was measured, beside the first one of each run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench.wrk import Result

HEADINGS = (
    "per second",
    "ratio",
    "p50 ms",
    "p99 ms",
    "errors",
    "rows missing",
    "generator",
    "server",
    "database",
)


@dataclass
class Rounds:
    """All rounds of one site."""

    results: list[Result] = field(default_factory=list)
    missing: int = 0  # rows that were answered and not stored

    def median_of(self, name: str) -> float:
        """Return the median of a value over the rounds that count: a round with errors is void."""
        return float(median(getattr(result, name) for result in self.valid))

    @property
    def valid(self) -> Sequence[Result]:
        """Return the rounds without errors, or all of them when each had some."""
        return [result for result in self.results if not result.errors] or self.results


def table(measured: Mapping[str, Rounds]) -> str:
    """Return a line for each site; `ratio` compares it with the first one."""
    first = next(iter(measured.values())).median_of("rate")
    lines = ["", " " * 34 + "".join(f"{heading:>13}" for heading in HEADINGS)]
    for name, rounds in measured.items():
        rate = rounds.median_of("rate")
        errors = sum(result.errors for result in rounds.results)
        values = (
            f"{rate:.0f}",
            f"{rate / first:.2f}",
            *(f"{rounds.median_of(part):.1f}" for part in ("p50", "p99")),
            f"{errors}",
            f"{rounds.missing}",
            *(f"{rounds.median_of(part):.2f}" for part in ("generator", "server", "database")),
        )
        lines.append(f"{name:34}" + "".join(f"{value:>13}" for value in values))
    return "\n".join(lines)


def doubts(measured: Mapping[str, Rounds], floor: tuple[float, float]) -> list[str]:
    """Say what these figures can't show."""
    found = []
    bare = next(iter(measured.values()))
    if bare.median_of("rate") < floor[0]:
        found.append(
            f"The bare view reached {bare.median_of('rate'):.0f} a second, less than its {floor[0]:.0f} to"
            f" {floor[1]:.0f} on a quiet machine. Only the ratios count."
        )
    for name, rounds in measured.items():
        void = len(rounds.results) - len([result for result in rounds.results if not result.errors])
        if void:
            found.append(f"{name}: {void} of {len(rounds.results)} rounds had errors and are void.")
        if any(result.repeated for result in rounds.results):
            found.append(f"{name}: too few events were made, so some were sent twice.")
        if rounds.median_of("generator") > 0.8:
            found.append(f"{name}: the generator was the bottleneck.")
    return [
        *found,
        "Generator, server and database share the processors of one machine, so none has its own.",
    ]
