"""The alert rules and the dashboard ask for numbers that there are."""

import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from click.testing import CliRunner

from app import apps, doctor, sync
from app.cli import main
from app.core import db
from tests.support.numbers import read
from tests.support.people import Person
from tests.support.world import World

NAMES = re.compile(r"\bgangway_\w+")


def printed(what: str) -> str:
    answer = CliRunner().invoke(main, ["monitoring", what])
    assert answer.exit_code == 0, answer.output
    return answer.output


@pytest.fixture
def known(world: World, person: Person) -> set[str]:
    """The names of all numbers of an installation that has seen something."""
    person.save_card()
    world.settle()
    with world.app.app_context():
        sync.run_until_idle()
        for _ in range(3):
            sync.run_maintenance(db.session())
        [installed] = apps.installed(db.session())
        world.simulator.change_endpoint(installed.webhook_endpoint_id, enabled=False)
        doctor.examine_due(db.session())
    return {name.partition("{")[0] for name in read(world.app.test_client().get("/metrics").text)}


def world_session() -> Any:
    from app.core import db  # noqa: PLC0415

    return db.session()


def test_every_alert_has_a_name_a_summary_and_numbers_that_exist(known: set[str]) -> None:
    [group] = yaml.safe_load(printed("alerts"))["groups"]

    for rule in group["rules"]:
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
        assert set(NAMES.findall(rule["expr"])) <= known, rule["alert"]


def test_every_panel_has_a_title_and_numbers_that_exist(known: set[str]) -> None:
    board = json.loads(printed("dashboard"))

    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        assert panel["title"]
        assert panel["description"]
        for target in panel["targets"]:
            assert set(NAMES.findall(target["expr"])) <= known, panel["title"]


def test_no_panel_covers_another() -> None:
    places = [panel["gridPos"] for panel in json.loads(printed("dashboard"))["panels"]]

    cells = [
        (x, y)
        for place in places
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
