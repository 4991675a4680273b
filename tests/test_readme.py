"""README and `.docs` tell the truth: their commands, settings, files and tests are those of the product."""

import ast
import re
from pathlib import Path

from click.testing import CliRunner

from app.cli import COMMANDS, main
from app.core.config import Settings
from app.core.version import __version__

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / ".docs").glob("*.md"))]


def test_lists_every_setting_with_its_meaning() -> None:
    rows = settings_in((ROOT / ".docs/settings.md").read_text())

    assert rows == {name.upper(): field.description for name, field in Settings.model_fields.items()}


def test_the_settings_to_change_first_say_the_same_in_both_places() -> None:
    shown = rows_of_settings(README)

    assert shown
    assert shown <= rows_of_settings((ROOT / ".docs/settings.md").read_text())


def test_lists_every_command() -> None:
    listed = set(re.findall(r"^\| `gangway ([\w ]+)` \|", README, re.M))

    assert {command.split()[0] for command in listed} == set(COMMANDS)


def test_names_no_option_that_a_command_lacks() -> None:
    texts = "\n".join(document.read_text() for document in DOCUMENTS)
    for command, option in sorted(set(re.findall(r"gangway (\w+)[^`\n]* (--[\w-]+)", texts))):
        found = CliRunner().invoke(main, [command, "--help"])
        assert option in found.output or command == "stripe"


def test_shows_pictures_that_exist() -> None:
    for picture in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / picture).is_file()


def test_the_changelog_has_this_version_first() -> None:
    versions = re.findall(
        r"^## \[(\d[\d.]*)\] - \d{4}-\d\d-\d\d$", (ROOT / ".docs/changelog.md").read_text(), re.M
    )

    assert versions[0] == __version__


def test_links_lead_to_files_that_exist() -> None:
    links = {
        (document, target)
        for document in DOCUMENTS
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text())
        if not target.startswith("http")
    }

    assert [target for document, target in links if not (document.parent / target).exists()] == []


def test_documents_name_files_that_exist() -> None:
    named = {
        name
        for document in DOCUMENTS
        for name in re.findall(r"`((?:app|templates|static|tests)/[\w/.]+)", document.read_text())
        if not re.search(r"[A-Z]{4}", name)  # a recipe's own NAME, PACKAGE or NNNN
    }

    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_documents_name_settings_that_exist() -> None:
    known = {f"GANGWAY_{name.upper()}" for name in Settings.model_fields}
    known |= {f"{name}_FILE" for name in known} | {"GANGWAY_ENV_FILE", "GANGWAY_TEST_POSTGRES"}
    known |= {"GANGWAY_URL", "GANGWAY_TOKEN", "GANGWAY_HANDOVER_SECRET"}  # of the reader's own programs

    named = {
        name for document in DOCUMENTS for name in re.findall(r"GANGWAY_[A-Z_]+\b", document.read_text())
    }

    assert sorted(named - known - {"GANGWAY_"}) == []


def test_documents_run_commands_that_exist() -> None:
    run = {
        command
        for document in DOCUMENTS
        for block in re.findall(r"^```sh\n(.*?)^```", document.read_text(), re.M | re.S)
        for command in re.findall(r"^(?:\S*/)?gangway (\w+)", block, re.M)
    }

    assert sorted(run - set(COMMANDS)) == []


def test_every_promise_names_tests_that_exist() -> None:
    promises = (ROOT / ".docs" / "architecture.md").read_text().partition("## Promises")[2]
    rows = [line for line in promises.splitlines() if line.startswith("| ") and "---" not in line][1:]
    missing = [
        f"{file}::{name}"
        for file, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", promises)
        if name not in names_of_tests(ROOT / file)
    ]

    assert rows
    assert [row for row in rows if "::test_" not in row] == []
    assert missing == []


def settings_in(text: str) -> dict[str, str]:
    """Return the settings in a table, each with its meaning."""
    return dict(re.findall(r"^\| `GANGWAY_(\w+)` \|.*?\| (.+) \|$", text, re.M))


def rows_of_settings(text: str) -> set[str]:
    """Return the rows of a table of settings."""
    return set(re.findall(r"^\| `GANGWAY_\w+` \|.*$", text, re.M))


def names_of_tests(file: Path) -> set[str]:
    """Return the names of the tests in a file, those in classes too."""
    nodes = ast.walk(ast.parse(file.read_text())) if file.is_file() else ()
    return {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
