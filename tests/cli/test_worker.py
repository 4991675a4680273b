"""`gangway worker` does what is due, serves its metrics, and stops on a signal."""

import signal

import pytest

from app.payers import Payer
from tests.support.commands import environment, rows
from tests.support.numbers import read
from tests.support.processes import PROCESS_MARKS, fetch, free_port, gangway

pytestmark = PROCESS_MARKS


@pytest.mark.usefixtures("unverified_payer")
def test_does_what_is_due_and_stops_on_ctrl_c(stripe_url: str, database_url: str) -> None:
    with gangway("worker", **environment(database_url, STRIPE_API_BASE=stripe_url)) as worker:
        worker.wait_until(lambda: rows(database_url, Payer)[0].verified_at is not None)
        status = worker.tell(signal.SIGINT)

    assert status == 0
    [payer] = rows(database_url, Payer)
    assert payer.default_method_id is not None


def test_serves_its_own_numbers_and_stops_when_told(database_url: str) -> None:
    port = free_port()

    with gangway("worker", "--metrics", str(port), **environment(database_url)) as worker:
        worker.wait_for(f"http://127.0.0.1:{port}/metrics")
        found = read(fetch(f"http://127.0.0.1:{port}/metrics")[1])
        status = worker.tell(signal.SIGTERM)

    assert found["process_resident_memory_bytes"] > 0
    assert status == 0
