"""The portal's settings as a file: `gangway portal export` and `import`."""

import json
import stat
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from app import portal
from app.core import db
from app.portal.cli import group
from tests.support.cases import for_each
from tests.support.pictures import png
from tests.support.rows import Rows

DOCUMENT: dict[str, Any] = {
    "default_profile": "default",
    "profiles": {"default": {"name": "Main", "brand": {"company_name": "Lovelace & Co"}}, "second": {}},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with good settings."""
    path = tmp_path / "portal.json"
    path.write_text(json.dumps(DOCUMENT))
    return path


def run(app: Flask, *words: str) -> Result:
    """Run a command on the application of the test."""
    return CliRunner().invoke(group, list(words), obj=ScriptInfo(create_app=lambda: app))


def test_import_publishes_what_export_has_written(app: Flask, file: Path, tmp_path: Path, rows: Rows) -> None:
    imported = run(app, "import", str(file))
    exported = run(app, "export", str(tmp_path / "again.json"))
    again = run(app, "import", str(tmp_path / "again.json"))

    assert imported.exit_code == exported.exit_code == again.exit_code == 0
    assert "Published version 1" in imported.output
    assert "profiles.default.name" in imported.output
    assert "Nothing differs" in again.output
    assert [version.id for version in rows(portal.PortalVersion)] == [1]
    with app.app_context():
        assert portal.profile("second").brand.company_name == "Acme Cloud"
        db.session().close()


def test_export_prints_sorted_json_without_a_file(app: Flask) -> None:
    printed = run(app, "export")

    assert list(json.loads(printed.output)) == ["default_profile", "profiles"]
    assert printed.output.endswith("}\n")


def test_dry_run_publishes_nothing(app: Flask, file: Path, rows: Rows) -> None:
    answer = run(app, "import", str(file), "--dry-run")

    assert 'profiles.default.name: "Default" -> "Main"' in answer.output
    assert 'profiles.second.name: nothing -> "Default"' in answer.output
    assert "Nothing was published" in answer.output
    assert rows(portal.PortalVersion) == []


BOMB = {"media_type": "image/png", "data": b64encode(png(60_000, 60_000)).decode()}
WRONG: dict[str, Any] = {
    "profiles.default.brand.accent_color": {"profiles": {"default": {"brand": {"accent_color": "red"}}}},
    "profiles.default.brand.acent_color": {"profiles": {"default": {"brand": {"acent_color": "#123456"}}}},
    "profiles.default.links.terms_url": {"profiles": {"default": {"links": {"terms_url": "javascript:1"}}}},
    "profiles.default.languages.0": {"profiles": {"default": {"languages": ["xx"]}}},
    "profiles.default.languages": {"profiles": {"default": {"languages": []}}},
    "profiles.default.form.currencies": {"profiles": {"default": {"form": {"currencies": ["XXQ"]}}}},
    "profiles.default.embed_origins": {"profiles": {"default": {"embed_origins": ["*"]}}},
    "profiles.default.links.imprint_url": {"profiles": {"default": {"links": {"imprint_url": "https://-/"}}}},
    "profiles.default.after.return_url": {"profiles": {"default": {"after": {"return_url": "https://a..b"}}}},
    "profiles.default.after.allowed_return_hosts.0": {
        "profiles": {"default": {"after": {"allowed_return_hosts": ["a-.b"]}}}
    },
    "profiles.default.brand.logo: Use a picture at most 4,096 pixels": {
        "profiles": {"default": {"brand": {"logo": BOMB}}}
    },
    "profiles.default.name": {"profiles": {"default": {"name": "a\x00b"}}},
    "profiles.Bad Slug": {"profiles": {"default": {}, "Bad Slug": {}}},
    "There is no profile other": {"default_profile": "other", "profiles": {"default": {}}},
    "the file": [],
    "the file: This has characters that can't be stored": "\ud800",
    "\\ud800: There is no such setting": {"\ud800": 1},
    "profiles.default.brand.company_name: This has characters that can't be shown": {
        "profiles": {"default": {"brand": {"company_name": "Acme\nBcc: everybody@example.com"}}}
    },
    "profiles.default.texts.charges.en: This has characters that can't be shown": {
        "profiles": {"default": {"texts": {"charges": {"en": "a\x1bb"}}}}
    },
    "profiles.default.texts.signup_led: There is no such text": {
        "profiles": {"default": {"texts": {"signup_led": {"en": "Hello"}}}}
    },
    "profiles.default.texts.checkout_submit.de: Use 1200 characters or fewer": {
        "profiles": {"default": {"texts": {"checkout_submit": {"de": "x" * 1201}}}}
    },
    "profiles.default.brand.company_name: Use at least one character that can be seen": {
        "profiles": {"default": {"brand": {"company_name": "\u200b\u2060"}}}
    },
    "profiles.default.embed_origins: Enter 50 sites or fewer": {
        "profiles": {"default": {"embed_origins": [f"https://s{n}.example.com" for n in range(51)]}}
    },
    "And 150 more": {"profiles": {"default": {f"name_{number}": 1 for number in range(200)}}},
    "profiles.default.name: This has": {"profiles": {"default": {"name": "\udfff"}}},
}


@for_each("named", list(WRONG))
def test_import_names_what_is_wrong(app: Flask, tmp_path: Path, rows: Rows, named: str) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps(WRONG[named]))

    answer = run(app, "import", str(path))

    assert answer.exit_code == 1
    assert named in answer.output
    assert rows(portal.PortalVersion) == []


@for_each(
    "content",
    [b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000, b'"' + b"x" * 4_000_001 + b'"'],
)
def test_import_refuses_what_is_no_document(app: Flask, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(content)

    answer = run(app, "import", str(path))

    assert answer.exit_code == 1
    assert answer.output.startswith("Error: ")


def test_import_refuses_what_never_ends(app: Flask) -> None:
    answer = run(app, "import", "/dev/zero")

    assert answer.exit_code == 1
    assert "The file is too large" in answer.output


def test_import_takes_texts_of_several_lines(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "lines.json"
    texts = {"charges": {"en": "Monthly.\r\n\tNothing else."}}
    path.write_text(json.dumps({"profiles": {"default": {"name": " Main\n", "texts": texts}}}))

    assert run(app, "import", str(path)).exit_code == 0


def test_export_says_when_the_file_can_not_be_written(app: Flask, tmp_path: Path) -> None:
    answer = run(app, "export", str(tmp_path / "nowhere" / "portal.json"))

    assert answer.exit_code == 1
    assert "can't be written" in answer.output


def test_export_writes_a_file_of_its_owner_in_place_of_another(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "exported" / "portal.json"
    path.parent.mkdir()
    path.write_text("{}")
    path.chmod(0o666)

    answer = run(app, "export", str(path))

    assert answer.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(json.loads(path.read_text())) == ["default_profile", "profiles"]
    assert [found.name for found in path.parent.iterdir()] == ["portal.json"]


def test_export_follows_no_link(app: Flask, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("precious")
    (tmp_path / "portal.json").symlink_to(other)

    answer = run(app, "export", str(tmp_path / "portal.json"))

    assert answer.exit_code == 1
    assert "portal.json can't be written: something is there that is not a file." in answer.output
    assert other.read_text() == "precious"
