"""How fast events are taken in, beside a bare view and dj-stripe: same load, same database, same run.

`pytest -m bench tests/bench/test_intake.py -s`, and with `--database postgresql`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from tests.bench import sites
from tests.bench.conftest import Place
from tests.bench.sites import Site

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1800)]

ROUNDS, SECONDS = 3, 5.0
TWO_PROCESSES = {"web_processes": "2", "web_threads": "8", "worker_threads": "0"}


def test_beside_the_others(
    place: Place, things: Path, empty_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted: dict[str, Callable[[], AbstractContextManager[Site]]] = {
        "bare view": lambda: sites.bare(empty_database_url),
        "gangway": place.gangway,
        "gangway, two processes": lambda: place.gangway(**TWO_PROCESSES),
        "dj-stripe": lambda: sites.djstripe(empty_database_url, place.stripe),
        "dj-stripe, Stripe 100 ms off": lambda: _far_off(place, empty_database_url),
    }

    found = _measured(wanted, things)

    with capsys.disabled():
        _print(found)
    best = max(found["gangway"]["rate"], found["gangway, two processes"]["rate"])
    assert best >= 0.8 * found["bare view"]["rate"]
    # It asks Stripe while Stripe waits for its answer, and Stripe is never next door.
    assert best >= 10 * found["dj-stripe, Stripe 100 ms off"]["rate"]


@contextmanager
def _far_off(place: Place, database: str) -> Iterator[Site]:
    place.stripe_does("fault_settings", latency=0.1)
    try:
        with sites.djstripe(database, place.stripe) as site:
            yield site
    finally:
        place.stripe_does("fault_settings", latency=0)


def test_while_stripe_takes_two_seconds(
    place: Place, things: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found: dict[str, dict[str, float]] = {}
    with place.gangway() as site:
        for latency in (0, 2, 0, 2):
            place.stripe_does("fault_settings", latency=latency)
            result = site.load(things, seconds=SECONDS)
            kept = found.setdefault(f"Stripe answers in {latency} s", result)
            kept["p99"] = min(kept["p99"], result["p99"])

    with capsys.disabled():
        _print(found)
    quick, slow = (found[f"Stripe answers in {latency} s"] for latency in (0, 2))
    assert slow["p99"] <= 1.3 * quick["p99"]


def _measured(
    wanted: dict[str, Callable[[], AbstractContextManager[Site]]], things: Path
) -> dict[str, dict[str, float]]:
    """Medians over rounds in which each has its turn."""
    rounds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for _ in range(ROUNDS):
        for name, start in wanted.items():
            with start() as site:
                site.load(things, seconds=1)
                result = site.load(things, seconds=SECONDS)
            assert set(result["statuses"]) == {"200"}, result
            rounds[name].append(result)
    return {
        name: {what: median(result[what] for result in results) for what in ("rate", "p50", "p99")}
        for name, results in rounds.items()
    }


def _print(found: dict[str, dict[str, float]]) -> None:
    first = next(iter(found.values()))["rate"]
    print(f"\n{'':28} {'events/s':>9} {'ratio':>6} {'p50 ms':>8} {'p99 ms':>8}")  # noqa: T201
    for name, result in found.items():
        rate, p50, p99 = (result[what] for what in ("rate", "p50", "p99"))
        print(f"{name:28} {rate:9.0f} {rate / first:6.2f} {p50:8.1f} {p99:8.1f}")  # noqa: T201
