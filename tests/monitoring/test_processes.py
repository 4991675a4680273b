"""Several processes count together."""

import signal
from pathlib import Path
from urllib.parse import quote

from tests.conftest import KEY
from tests.support.numbers import read
from tests.support.processes import fetch, free_port, running, wait_until

ROUTE = "gangway_requests_total{method=GET,route=/operator/login,status=200}"


def environment(database_url: str, **more: str) -> dict[str, str]:
    given = {
        "GANGWAY_DATABASE_URL": database_url,
        "GANGWAY_SECRET_KEY": "test" * 10,
        "GANGWAY_ENCRYPTION_KEYS": KEY,
        "GANGWAY_LOG_LEVEL": "ERROR",
    }
    return given | more


def test_any_process_answers_for_all(database_url: str, tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    settings = environment(database_url, GANGWAY_WEB_PROCESSES="2", TMPDIR=str(tmp_path))
    with running("serve", "--bind", address, **settings) as server:
        wait_until(lambda: fetch(f"http://{address}/healthz")[0] == 200)
        for number in range(20):
            fetch(f"http://{address}/operator/login?{quote(str(number))}")

        answers = [read(fetch(f"http://{address}/metrics")[1]) for _ in range(8)]

        assert list(tmp_path.glob("gangway-metrics-*/*.db"))
        status = server.tell(signal.SIGTERM)

    assert [answer[ROUTE] for answer in answers] == [20.0] * 8
    assert answers[0]["gangway_database_up"] == 1
    assert status == 0
    assert not list(tmp_path.glob("gangway-metrics-*"))


def test_they_may_share_a_folder_of_the_operators_choice(database_url: str, tmp_path: Path) -> None:
    address, folder = f"127.0.0.1:{free_port()}", tmp_path / "counts"
    folder.mkdir()
    settings = environment(database_url, PROMETHEUS_MULTIPROC_DIR=str(folder), GANGWAY_WEB_PROCESSES="2")
    with running("serve", "--bind", address, **settings) as server:
        wait_until(lambda: fetch(f"http://{address}/healthz")[0] == 200)
        found = read(fetch(f"http://{address}/metrics")[1])
        server.tell(signal.SIGTERM)

    assert found["gangway_requests_total{method=GET,route=/healthz,status=200}"] >= 1
    assert list(folder.glob("*.db"))


def test_a_worker_that_runs_alone_serves_its_own(database_url: str) -> None:
    port = free_port()
    with running("worker", "--metrics", str(port), **environment(database_url)) as worker:
        wait_until(lambda: fetch(f"http://127.0.0.1:{port}/metrics")[0] == 200)
        found = read(fetch(f"http://127.0.0.1:{port}/metrics")[1])
        status = worker.tell(signal.SIGTERM)

    assert found["process_resident_memory_bytes"] > 0
    assert status == 0
