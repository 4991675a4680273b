"""Everybody gets through while everything fails; `python -m tests.proof.chaos` runs it on demand."""

from pathlib import Path

import pytest

from tests.proof import chaos
from tests.proof.chaos_report import Report
from tests.support.truth import Verdict

pytestmark = [pytest.mark.proof, pytest.mark.timeout(3600)]


def test_everybody_gets_through(empty_database_url: str, tmp_path: Path) -> None:
    plan = chaos.Plan(people=12, at_once=4, kill_every=2, roll_every=2)

    report = chaos.run(plan, empty_database_url, tmp_path)

    assert report.is_good, str(report)
    assert min(report.numbers[name] for name in ("kills", "secrets rolled")) > 0, str(report)


def test_a_report_hides_nothing() -> None:
    verdict = Verdict(
        agreeing=7, wrong=["ada: the status"], doubled=["bob"], orphans=["cus_1"], unfinished=["evt_1"]
    )

    report = Report(people=8, agreeing=7, verdict=verdict)

    assert not report.is_good
    assert all(text in str(report) for text in ("ada: the status", "bob", "cus_1", "evt_1"))
    assert not Report(people=8, agreeing=7, verdict=Verdict(7, [], [], [], [])).is_good
    assert not Report(people=8, besides=1, agreeing=8, verdict=Verdict(8, [], [], [], [])).is_good


@pytest.mark.parametrize("trouble", ["lost", "misled", "stranded", "undone", "gave_up"])
def test_a_report_with_any_trouble_is_not_good(trouble: str) -> None:
    report = Report(people=1, agreeing=1, verdict=Verdict(1, [], [], [], []))
    assert report.is_good

    getattr(report, trouble).append("ada")

    assert not report.is_good
    assert "ada" in str(report)


@pytest.mark.long
@pytest.mark.timeout(0)
def test_a_crowd_gets_through(
    empty_database_url: str, tmp_path: Path, proof_runs: int, capsys: pytest.CaptureFixture[str]
) -> None:
    report = chaos.run(chaos.Plan(people=proof_runs), empty_database_url, tmp_path)

    with capsys.disabled():
        print(report)  # noqa: T201
    assert report.is_good
