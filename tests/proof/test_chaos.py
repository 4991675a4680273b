"""Chaos, in a small dose; `python -m tests.proof.chaos --help` tells of larger ones."""

from pathlib import Path

import pytest

from tests.proof import chaos


@pytest.mark.timeout(300)
def test_everybody_gets_through(empty_database_url: str, tmp_path: Path) -> None:
    plan = chaos.Plan(people=8, at_once=4, kill_every=3, roll_every=5, errors=0.05)

    report = chaos.run(plan, empty_database_url, tmp_path)

    assert report.is_good, str(report)


@pytest.mark.proof
@pytest.mark.timeout(0)
def test_a_crowd_gets_through(
    empty_database_url: str, tmp_path: Path, proof_runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    report = chaos.run(chaos.Plan(people=proof_runs), empty_database_url, tmp_path)

    with capsys.disabled():
        print(report)  # noqa: T201
    assert report.is_good
