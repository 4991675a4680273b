"""`gangway simulator` runs the simulated Stripe alone."""

import signal
from pathlib import Path

import pytest

from app.simulator import DEFAULT_API_KEY
from tests.support.commands import run_command
from tests.support.processes import PROCESS_MARKS, fetch, free_port, gangway


def test_says_when_its_port_is_taken(stripe_url: str) -> None:
    port = stripe_url.rpartition(":")[2]

    answer = run_command("simulator", "--port", port)

    assert answer.exit_code == 1
    assert answer.output == (
        f"Error: Port {port} for the simulated Stripe is taken: stop what listens there, "
        "or choose another with --port.\n"
    )


@pytest.mark.parametrize("name", ["words.txt", "words.txt/store.db"])
def test_says_when_it_can_keep_no_data(name: str, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("no database " * 100)

    answer = run_command("simulator", "--data", str(tmp_path / name))

    assert answer.exit_code == 1
    assert answer.output.startswith(f"Error: The simulator can't keep its data in {tmp_path / name}: ")
    assert answer.output.count("\n") == 1


class TestProgram:
    """In another process."""

    pytestmark = PROCESS_MARKS

    def test_answers_and_stops_when_told(self, tmp_path: Path) -> None:
        port = str(free_port())

        with gangway("simulator", "--port", port, "--data", str(tmp_path / "store.db")) as program:
            line = program.line()
            answer = fetch(f"http://127.0.0.1:{port}/v1/account")
            status = program.tell(signal.SIGTERM)

        assert f"http://127.0.0.1:{port}" in line
        assert DEFAULT_API_KEY in line
        assert answer[0] == 401
        assert status == 0
        assert (tmp_path / "store.db").exists()
