"""Whether memory grows while all kinds of requests come, each a little different from all before.

`pytest -m bench tests/bench/test_memory.py -s`. The worker converges meanwhile, as the events ask for.
"""

from pathlib import Path

import pytest

from tests.bench import wrk
from tests.bench.conftest import Place

pytestmark = [pytest.mark.bench, pytest.mark.timeout(7200)]

REQUESTS, WARM_UP = 100_000, 5_000
STEP = 10.0  # seconds


def test_does_not_grow(place: Place, things: Path, capsys: pytest.CaptureFixture[str]) -> None:
    events = things.with_name("events")
    path, secret = place.endpoint
    wrk.write_events(events, secret, things.read_text().splitlines(), STEP)
    arguments = (str(events), path, place.headers["Authorization"])
    answered, first = 0, None

    with place.gangway(log_level="ERROR") as site:
        while answered < REQUESTS:
            result = wrk.run("mixed.lua", site.root, STEP, arguments, server=[site.process.pid])
            answered += result.answered
            memory = site.memory()
            if first is None and answered >= WARM_UP:
                first = memory
            with capsys.disabled():
                sizes = ", ".join(f"{size:.1f} MB" for size in memory)
                print(f"\n{answered:,} requests, {result.rate:.0f} good answers/s: {sizes}", end="")  # noqa: T201

    assert first is not None
    assert answered >= REQUESTS
    growth = [f"{(late - early) / early:+.1%}" for early, late in zip(first, memory, strict=True)]
    with capsys.disabled():
        print(f"\nfrom the first {WARM_UP:,} requests on: {', '.join(growth)}")  # noqa: T201
