"""What all commands of `gangway` share: help, and a sentence where something is wrong."""

import os
import socket
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet

from app import migrations
from app.cli import COMMANDS, main
from app.core.config import Settings
from app.core.lean import DRIVERS, LATE, OPTIONAL, PLACEHOLDERS
from app.core.version import __version__
from tests.conftest import KEY, SECRET_KEY
from tests.support.commands import Run, run_command
from tests.support.processes import PROCESS_MARKS, ROOT, gangway

# Each takes long to import, or much memory.
UNUSED_BY_SERVE = {
    "alembic",
    "cryptography.hazmat",
    "email_validator",
    "jwt",
    "requests",
    "sqlalchemy.dialects.postgresql",  # unless the settings name it
    "zxcvbn",
    *DRIVERS,
    *LATE,
    *OPTIONAL,
    *PLACEHOLDERS,
}
HEAVY = {
    "alembic",
    "cryptography",
    "flask",
    "jinja2",
    "pydantic",
    "sqlalchemy",
    "structlog",
    "stripe",
    "wtforms",
}


def test_lists_its_commands() -> None:
    answer = CliRunner().invoke(main, ["-h"])

    assert answer.exit_code == 0
    for name in ("check", "db", "demo", "key", "serve", "simulator", "stripe", "worker"):
        assert f"  {name}" in answer.output


def test_lists_each_command_with_the_first_sentence_of_its_help() -> None:
    context = click.Context(main)
    helps = {}
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        helps[name] = command.get_short_help_str(limit=200)

    assert helps == {name: command.line for name, command in COMMANDS.items()}


def test_finds_no_command_of_another_name() -> None:
    answer = CliRunner().invoke(main, ["serves"])

    assert answer.exit_code == 2
    assert "No such command 'serves'" in answer.output


def test_is_installed_under_its_name() -> None:
    [script] = entry_points(group="console_scripts", name="gangway")

    assert script.value == "app.cli:main"


class TestProgram:
    """`python -m app`, in another process."""

    pytestmark = PROCESS_MARKS

    @pytest.mark.parametrize("option", ["--help", "--version"])
    def test_imports_nothing_heavy_to_tell_what_it_is(self, option: str) -> None:
        script = f"import sys; sys.argv = ['gangway', '{option}']; import app.__main__"
        told = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", script],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )

        imported = {line.rpartition("|")[2].strip() for line in told.stderr.splitlines()}
        assert imported & HEAVY == set()
        assert "app.cli" in imported

    def test_imports_little_more_than_its_own_code_to_serve(self) -> None:
        script = (
            "import sys\nfrom app.core.lean import lean_imports\n"
            "with lean_imports():\n  from app import create_app; import app.serving.server\n"
            "print(*sys.modules)"
        )
        told = subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
        )

        imported = set(told.stdout.split())
        assert imported & UNUSED_BY_SERVE == set()
        assert "app.webhooks.api" in imported

    def test_looks_for_no_time_zone_and_no_plugin_to_serve(self) -> None:
        script = (
            "import sys\nsys.addaudithook(lambda event, of: event == 'open' and print(of[0]))\n"
            "from app.core.lean import lean_imports\n"
            "with lean_imports():\n  from app import create_app; import app.serving.server\n"
        )
        named = {"TZ", "PYDANTIC_DISABLE_PLUGINS"}
        told = subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name not in named},
            capture_output=True,
            text=True,
            check=True,
        )

        opened = told.stdout.splitlines()
        assert any("babel/dates" in path or "babel/__pycache__/dates" in path for path in opened)
        assert [path for path in opened if "pytz/zoneinfo" in path or "entry_points" in path] == []

    def test_prints_an_error_and_exits_with_1(self) -> None:
        with gangway("db", "upgrade") as program:
            status, printed, error = program.end()

        assert (status, printed) == (1, "")
        assert error.startswith("Error: GANGWAY_SECRET_KEY is missing: run `gangway init`")
        assert "Traceback" not in error


def test_key_prints_a_fresh_key_for_both_settings() -> None:
    one, other = (run_command("key").output.strip() for _ in range(2))

    assert one != other
    assert Fernet(one)
    assert Settings.of({"secret_key": one, "encryption_keys": other})


@pytest.mark.parametrize("command", ["check", "db upgrade", "serve", "worker"])
def test_says_in_a_sentence_what_to_set(command: str) -> None:
    answer = run_command(*command.split())

    assert answer.exit_code == 1
    assert "GANGWAY_SECRET_KEY is missing: run `gangway init`" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize("command", ["operator list", "serve", "worker", "doctor"])
def test_says_in_a_sentence_that_tables_are_missing(command: str, run: Run, empty_database_url: str) -> None:
    answer = run(*command.split(), DATABASE_URL=empty_database_url)

    assert answer.exit_code in {1, 3}
    assert "run `gangway db upgrade`" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize("command", ["operator list", "db upgrade", "serve"])
def test_says_in_a_sentence_that_the_database_is_away(command: str, run: Run) -> None:
    answer = run(*command.split(), DATABASE_URL="sqlite:////no/such/folder/x.db")

    assert answer.exit_code == 1
    assert "look at GANGWAY_DATABASE_URL" in answer.output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("db downgrade nope", "nope"),
        ("serve --bind nonsense", "such as 127.0.0.1:8000"),
        ("serve --bind 127.0.0.1:99999", "such as 127.0.0.1:8000"),
        ("worker --threads 0", "'--threads'"),
        ("token create reports --expires 2020-01-01", "this day has passed"),
        ("token create reports --expires 9999-12-31", "too far away"),
        ("backfill --since 0001-01-01T00:00+14:00", "outside the calendar"),
        ("backfill --since 9999-12-31T23:59-14:00", "outside the calendar"),
    ],
)
def test_refuses_what_makes_no_sense(command: str, said: str, run: Run) -> None:
    answer = run(*command.split())

    assert answer.exit_code in {1, 2}
    assert said in answer.output
    assert isinstance(answer.exception, SystemExit)


def test_migrations_are_found_by_an_installed_package() -> None:
    assert (migrations.HERE / "versions").is_dir()


def test_says_its_version() -> None:
    answer = run_command("--version")

    assert answer.output == f"gangway-portal {__version__}\n"


def test_backfill_says_that_no_app_is_installed(run: Run) -> None:
    answer = run("backfill")

    assert answer.exit_code == 0
    assert answer.output == "No Stripe app is installed: run `gangway stripe install`.\n"


@pytest.mark.parametrize("command", ["check", "serve", "worker", "operator list"])
def test_says_in_a_sentence_that_the_data_folder_can_not_be_made(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    keys = {"GANGWAY_SECRET_KEY": SECRET_KEY, "GANGWAY_ENCRYPTION_KEYS": KEY}

    answer = run_command(*command.split(), **keys, GANGWAY_DATA_DIR=str(tmp_path / "file" / "data"))

    assert answer.exit_code == 1
    assert f"The data folder {tmp_path / 'file' / 'data'} can't be made" in answer.output


def test_says_that_a_port_for_metrics_is_taken(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        answer = run("worker", "--metrics", str(port))

    assert answer.exit_code == 1
    assert f"Port {port} of loopback is taken: choose another with --metrics." in answer.output


@pytest.mark.parametrize(
    "words",
    [
        ("operator", "create", "ada\udcff@example.com", "--invite"),
        ("token", "create", "\udcff"),
        ("stripe", "default", "\udcff"),
    ],
)
def test_bytes_that_are_no_text_are_refused_in_a_sentence(run: Run, words: tuple[str, ...]) -> None:
    answer = run(*words)

    assert answer.exit_code == 1
    assert "Error: An argument of this command is not UTF-8 text." in answer.output


@pytest.mark.parametrize("words", [("key",), ("--version",), ("db", "--help"), ("monitoring", "alerts")])
def test_says_in_a_sentence_that_its_output_finds_no_room(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "app", *words]
        buffered = os.environ | {"PYTHONUNBUFFERED": ""}  # so Python flushes it again at the end
        ended = subprocess.run(
            command, check=False, cwd=ROOT, env=buffered, stdout=full, stderr=subprocess.PIPE, text=True
        )

    assert ended.returncode == 1
    assert ended.stderr == "Error: The output can't be written: No space left on device.\n"


@pytest.mark.parametrize(
    ("option", "said"),
    [("--data", "is too long for a file name."), ("--env-file", "can't be read: File name too long.")],
)
def test_says_in_a_sentence_that_a_name_is_too_long(option: str, said: str) -> None:
    answer = run_command("check", option, "x" * 5000)

    assert answer.exit_code == 1
    assert said in answer.output
