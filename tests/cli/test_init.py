"""`gangway init` stores the keys of an installation, so closing the terminal loses none."""

import stat
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from dotenv import dotenv_values

from app.cli import main
from app.core.config import Settings
from app.core.environment import find_sources
from tests.conftest import KEY
from tests.support.commands import run_command

ANSWERS = "billing.example.com\nACME, Inc.\nhelp@example.com\n\n2\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data folder that is not there yet."""
    return tmp_path / "state" / "gangway"


def init(folder: Path, *options: str, answers: str | BytesIO = "", **variables: str) -> Result:
    """Run `gangway init` for a data folder."""
    runner, given = CliRunner(), {"GANGWAY_DATA_DIR": str(folder)} | variables
    return runner.invoke(main, ["init", *options], prog_name="gangway", input=answers, env=given)


def test_asks_for_what_it_needs_and_keeps_it_for_every_later_command(folder: Path) -> None:
    answer = init(folder, answers=ANSWERS)

    settings = Settings.load(find_sources(env_file=folder / "gangway.env"))
    assert answer.exit_code == 0, answer.output
    assert settings.public_url == "https://billing.example.com"
    assert settings.company_name == "ACME, Inc."
    assert settings.support_email == "help@example.com"
    assert settings.trusted_proxies == 2
    assert settings.database_url == f"sqlite:///{folder / 'gangway.db'}"
    assert "gangway stripe install" in answer.output
    checked = run_command("check", GANGWAY_DATA_DIR=str(folder))
    assert "No Stripe app is installed" in checked.output
    assert "Warning" not in checked.output


def test_writes_what_only_its_owner_can_read(folder: Path) -> None:
    init(folder, answers=ANSWERS)

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes["gangway"] == 0o700
    assert modes["gangway.env"] == 0o600
    assert modes["gangway.db"] == 0o600


def test_makes_other_keys_each_time(tmp_path: Path) -> None:
    for name in ("a", "b"):
        init(tmp_path / name)

    one, other = (Settings.load(find_sources(data_folder=tmp_path / name)) for name in ("a", "b"))
    keys = {
        key.get_secret_value()
        for found in (one, other)
        for key in (*found.secret_key, *found.encryption_keys)
    }
    assert len(keys) == 4


def test_takes_the_defaults_when_nobody_answers(folder: Path) -> None:
    answer = init(folder, "--public-url", "https://pay.example.com")

    values = dotenv_values(folder / "gangway.env")
    assert answer.exit_code == 0, answer.output
    assert values["GANGWAY_PUBLIC_URL"] == "https://pay.example.com"
    assert values["GANGWAY_TRUSTED_PROXIES"] == "1"  # https comes from a proxy


def test_keeps_the_keys_that_this_terminal_has(folder: Path) -> None:
    init(folder, GANGWAY_ENCRYPTION_KEYS=KEY, GANGWAY_ACCENT_COLOR="#102030")

    values = dotenv_values(folder / "gangway.env")
    assert values["GANGWAY_ENCRYPTION_KEYS"] == KEY
    assert values["GANGWAY_ACCENT_COLOR"] == "#102030"


def test_asks_again_after_an_answer_that_makes_no_sense(folder: Path) -> None:
    answer = init(folder, answers="http://pay.example.com\nhttps://pay.example.com\n")

    assert "must begin with https://" in answer.output
    assert dotenv_values(folder / "gangway.env")["GANGWAY_PUBLIC_URL"] == "https://pay.example.com"


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--public-url", "ftp://x"),
        ("--database-url", "mysql://x"),
        ("--support-email", "x"),
        ("--trusted-proxies", "-1"),
    ],
)
def test_refuses_an_option_that_makes_no_sense(option: str, value: str, folder: Path) -> None:
    answer = init(folder, option, value)

    assert answer.exit_code == 1
    assert "Error: GANGWAY_" in answer.output
    assert not folder.exists()


def test_writes_over_no_file(folder: Path) -> None:
    init(folder)
    before = (folder / "gangway.env").read_text()

    answer = init(folder)

    assert answer.exit_code == 1
    assert "already exists, and nothing was changed" in answer.output
    assert (folder / "gangway.env").read_text() == before


def test_writes_through_no_link(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "gangway.env").symlink_to(tmp_path / "elsewhere")

    answer = init(folder)

    assert answer.exit_code == 1
    assert not (tmp_path / "elsewhere").exists()


def test_makes_no_new_keys_for_a_database_that_others_open(folder: Path) -> None:
    init(folder)
    (folder / "gangway.env").rename(folder / "away")

    answer = init(folder)

    assert answer.exit_code == 1
    assert "Set GANGWAY_SECRET_KEY and GANGWAY_ENCRYPTION_KEYS to its own keys" in answer.output


def test_says_what_is_left_to_do_when_the_database_is_away(folder: Path) -> None:
    answer = init(folder, "--database-url", "sqlite:////no/such/folder/x.db")

    assert answer.exit_code == 1
    assert "Then run `gangway db upgrade --env-file" in answer.output
    assert (folder / "gangway.env").exists()


def test_says_when_the_folder_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    answer = init(tmp_path / "file" / "data")

    assert answer.exit_code == 1
    assert "can't be written" in answer.output


def test_names_the_file_that_no_command_would_find_by_itself(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = init(folder, "--env-file", str(tmp_path / "other.env"))

    assert answer.exit_code == 0, answer.output
    assert f"gangway serve --env-file {tmp_path / 'other.env'}\n" in answer.output
    monkeypatch.delenv("GANGWAY_DATA_DIR")  # as in another terminal
    found = run_command("check", "--env-file", str(tmp_path / "other.env"))
    assert f"Data folder: {folder} " in found.output


def test_does_not_ask_for_what_this_terminal_has(folder: Path) -> None:
    answer = init(folder, answers="ACME, Inc.\n", GANGWAY_PUBLIC_URL="https://pay.example.com")

    values = dotenv_values(folder / "gangway.env")
    assert answer.exit_code == 0, answer.output
    assert values["GANGWAY_PUBLIC_URL"] == "https://pay.example.com"
    assert values["GANGWAY_COMPANY_NAME"] == "ACME, Inc."
    assert "Address of the portal" not in answer.output


class Terminal(BytesIO):
    """Somebody at a terminal, who does something before the answers are read."""

    def __init__(self, answers: bytes, act: Callable[[], object]) -> None:
        super().__init__(answers)
        self._act = act

    def isatty(self) -> bool:
        """It is a terminal, so somebody can answer."""
        return True

    def read1(self, size: int | None = -1, /) -> bytes:
        """Read what was typed."""
        self._act()
        return super().read1(size)


def test_writes_over_no_file_that_came_while_it_asked(folder: Path) -> None:
    file = folder / "gangway.env"

    def write() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        file.write_text("of another command")

    answer = init(folder, answers=Terminal(ANSWERS.encode(), write))

    assert answer.exit_code == 1
    assert f"{file} already exists, and nothing was changed." in answer.output
    assert file.read_text() == "of another command"


def test_writes_nothing_when_somebody_ends_it(folder: Path) -> None:
    answer = init(folder, answers=Terminal(b"pay.example.com\n", lambda: None))

    assert answer.exit_code == 1
    assert "Aborted!" in answer.output
    assert not folder.exists()
