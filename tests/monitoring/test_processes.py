"""Several web processes count together: each of them answers `/metrics` for all."""

import signal
from pathlib import Path
from urllib.parse import quote

from app.sync import WorkerHeartbeat
from tests.support.commands import environment, rows
from tests.support.numbers import read
from tests.support.processes import PROCESS_MARKS, fetch, free_port, gangway

pytestmark = PROCESS_MARKS

ROUTE = "gangway_requests_total{method=GET,route=/operator/login,status=200}"


def test_any_process_answers_for_all(database_url: str, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = environment(database_url, WEB_PROCESSES="2") | {"TMPDIR": str(tmp_path)}
    with gangway("serve", "--bind", address, **settings) as server:
        server.wait_for(f"http://{address}/healthz")
        for number in range(20):
            fetch(f"http://{address}/operator/login?{quote(str(number))}")

        answers = [read(fetch(f"http://{address}/metrics")[1]) for _ in range(8)]

        assert list(tmp_path.glob("gangway-metrics-*/*.db"))
        status = server.tell(signal.SIGTERM)

    assert [answer[ROUTE] for answer in answers] == [20.0] * 8
    assert answers[0]["gangway_database_up"] == 1
    assert status == 0
    assert not list(tmp_path.glob("gangway-metrics-*"))


def test_each_has_its_own_worker(database_url: str) -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = environment(database_url, WEB_PROCESSES="2", WORKER_THREADS="1")
    with gangway("serve", "--bind", address, **settings) as server:
        server.wait_until(lambda: len(rows(database_url, WorkerHeartbeat)) == 2)
        status = server.tell(signal.SIGTERM)

    assert status == 0
    assert rows(database_url, WorkerHeartbeat) == []


def test_leaves_no_folder_when_the_tables_are_not_fit(empty_database_url: str, tmp_path: Path) -> None:
    settings = environment(empty_database_url, WEB_PROCESSES="2") | {"TMPDIR": str(tmp_path)}
    with gangway("serve", "--bind", f"127.0.0.1:{free_port()}", **settings) as server:
        status, _, said = server.end()

    assert status == 1
    assert "gangway db upgrade" in said
    assert not list(tmp_path.glob("gangway-metrics-*"))


def test_they_may_share_a_folder_of_the_operators_choice(database_url: str, tmp_path: Path) -> None:
    address, folder = f"127.0.0.1:{free_port()}", tmp_path / "counts"
    folder.mkdir()
    settings = environment(database_url, WEB_PROCESSES="2") | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with gangway("serve", "--bind", address, **settings) as server:
        server.wait_for(f"http://{address}/healthz")
        found = read(fetch(f"http://{address}/metrics")[1])
        server.tell(signal.SIGTERM)

    assert found["gangway_requests_total{method=GET,route=/healthz,status=200}"] >= 1
    assert list(folder.glob("*.db"))
