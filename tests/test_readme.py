"""The README tells the truth: its commands, settings, routes and examples are those of the product."""

import re
from pathlib import Path

from click.testing import CliRunner

from app.cli import main
from app.core.config import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_lists_every_setting_with_its_meaning() -> None:
    rows = dict(re.findall(r"^\| `GANGWAY_(\w+)` \|.*?\| (.+) \|$", README, re.M))

    assert rows == {name.upper(): field.description for name, field in Settings.model_fields.items()}


def test_lists_every_command() -> None:
    listed = set(re.findall(r"^\| `gangway ([\w ]+)` \|", README, re.M))

    assert {command.split()[0] for command in listed} == set(main.commands)


def test_names_no_option_that_a_command_lacks() -> None:
    for command, option in re.findall(r"gangway (\w+)[^`\n]* (--[\w-]+)", README):
        found = CliRunner().invoke(main, [command, "--help"])
        assert option in found.output or command == "stripe"


def test_shows_pictures_that_exist() -> None:
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file()
