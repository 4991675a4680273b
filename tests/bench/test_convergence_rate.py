"""How many payers a worker converges in a second, beside an earlier commit in the same run.

`BENCH_BESIDE=COMMIT pytest -m bench -s tests/bench/test_convergence_rate.py`
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median

import pytest

from tests.bench import sites
from tests.support import postgres
from tests.support.processes import ROOT, free_port

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3600)]

SCRIPT = Path(__file__).with_name("convergence_rate.py")
GIT = shutil.which("git") or "git"
ROUNDS = 3
PEOPLE = 200


@contextmanager
def simulator() -> Iterator[str]:
    """Start a simulated Stripe in another process. Gives its URL."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "simulator", "--port", str(port)], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        sites.until_it_answers(f"{url}/_control.json", process)
        yield url
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def empty_databases(server: postgres.Server | None, tmp_path: Path) -> Iterator[str]:
    """One new database after the other, without tables."""
    if server is not None:
        return (server.create_database() for _ in count())
    return (f"sqlite:///{tmp_path / str(number)}.db" for number in count())


@pytest.fixture
def trees(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """This tree, and that of the commit in BENCH_BESIDE."""
    found = {"now": ROOT}
    if commit := os.environ.get("BENCH_BESIDE"):
        found = {commit: tmp_path / "earlier"} | found
        subprocess.run([GIT, "worktree", "add", "--detach", found[commit], commit], cwd=ROOT, check=True)
    yield found
    for tree in set(found.values()) - {ROOT}:
        subprocess.run([GIT, "worktree", "remove", "--force", tree], cwd=ROOT, check=True)


def measure(tree: Path, database: str, *, threads: int, latency: float) -> dict[str, float]:
    """Converge everybody once with a tree's worker."""
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    with simulator() as stripe:
        command = [sys.executable, SCRIPT, database, stripe, threads, latency, PEOPLE]
        done = subprocess.run(
            [str(part) for part in command],
            cwd=tree,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    result: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    assert result["verified"] == PEOPLE
    return result


@pytest.mark.parametrize("latency", [0.0, 0.2])
@pytest.mark.parametrize("threads", [1, 2])
def test_beside_an_earlier_commit(
    threads: int,
    latency: float,
    trees: dict[str, Path],
    empty_databases: Iterator[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    rates: dict[str, list[dict[str, float]]] = {name: [] for name in trees}
    for _ in range(ROUNDS):
        for name, tree in trees.items():
            rates[name].append(measure(tree, next(empty_databases), threads=threads, latency=latency))
    with capsys.disabled():
        for name, found in rates.items():
            rate, own = median(one["rate"] for one in found), median(one["cpu_ms"] for one in found)
            print(  # noqa: T201
                f"\n{name}: {threads} threads, Stripe at {1000 * latency:.0f} ms:"
                f" {rate:.0f}/s, {own:.1f} ms of processor time each"
            )
