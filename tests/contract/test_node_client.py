"""OpenMeter's official client for Node, unmodified, where Node and the client are at hand."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.customers import Customer
from app.simulator import Simulator
from tests.contract.conftest import Place
from tests.support.processes import PROCESS_MARKS, start
from tests.support.rows import Rows

pytestmark = PROCESS_MARKS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CLIENT = "@openmeter/sdk"
VERSION = "1.0.0-beta.232"


@pytest.fixture
def modules() -> Path:
    """The folder with the client: $OPENMETER_NODE_MODULES, else node_modules beside this project."""
    if shutil.which("node") is None:
        pytest.skip("no node on the path")
    folder = Path(os.environ.get("OPENMETER_NODE_MODULES") or ROOT / "node_modules")
    if not (folder / CLIENT / "package.json").is_file():
        pytest.skip(f"{CLIENT} is not in {folder}: npm install --prefix FOLDER {CLIENT}@{VERSION}")
    return folder


@pytest.fixture
def told(modules: Path, place: Place, tmp_path: Path) -> Any:
    """What the client made of our answers."""
    shutil.copy(HERE / "client.mjs", tmp_path)
    (tmp_path / "node_modules").symlink_to(modules.resolve())
    node = shutil.which("node")
    assert node is not None
    with start(node, "client.mjs", place.url, place.token, folder=tmp_path) as program:
        status, printed, error = program.end()
    assert status == 0, error
    return json.loads(printed)


def test_does_its_whole_work(told: Any, modules: Path, simulator: Simulator, rows: Rows) -> None:
    version = json.loads((modules / CLIENT / "package.json").read_text())["version"]

    first, second = told["opened"]
    assert version == VERSION
    assert first["customerId"] == second["customerId"]
    assert first["sessionId"] != second["sessionId"]
    # The second call has closed the first one's session.
    assert second["url"] == simulator.store.checkout_sessions[second["sessionId"]]["url"]
    assert simulator.store.checkout_sessions[first["sessionId"]]["status"] == "expired"
    assert len(simulator.store.customers) == 1
    assert told["isDate"]

    assert told["found"] == told["created"]
    assert told["updated"]["name"] == "New"
    assert (told["listed"]["totalCount"], len(told["listed"]["items"])) == (2, 1)
    assert sorted(row.name for row in rows(Customer)) == ["ACME, Inc.", "New"]

    assert told["stripe"]["stripeCustomerId"] == told["bound"]["stripeCustomerId"]
    assert told["portal"]["url"].startswith("http")
    assert told["data"]["totalCount"] == len(told["kept"]) == 1

    assert told["app"]["id"] == told["apps"]["items"][0]["id"]
    assert told["renamed"]["name"] == "JS"
    assert told["listings"]["items"] == [told["listing"]]

    failures = {name: told[name] for name in ("unknown", "taken", "wrong", "stranger")}
    assert {name: failure["status"] for name, failure in failures.items()} == {
        "unknown": 404,
        "taken": 409,
        "wrong": 400,
        "stranger": 401,
    }
    assert all(failure["type"] == "about:blank" and failure["detail"] for failure in failures.values())
    assert failures["wrong"]["extensions"]["validationErrors"][0]["field"] == "/name"
