"""`gangway check` prints the settings and what is missing, and no secret."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask

from app.core.config import Settings
from app.simulator import DEFAULT_API_KEY
from tests.conftest import KEY
from tests.support.commands import SECRET, Run
from tests.support.newer_database import newer_database
from tests.support.processes import free_port


def test_prints_settings_with_their_secrets_masked(run: Run) -> None:
    answer = run(
        "check",
        ENCRYPTION_KEYS=f"{KEY},{KEY}",
        RATE_LIMIT_STORAGE="memory://",
        CHECKOUT_ORIGINS="https://a.example,https://b.example",
    )

    lines = dict(line.split("=", 1) for line in answer.output.splitlines() if line.startswith("GANGWAY_"))
    assert set(lines) == {f"GANGWAY_{name.upper()}" for name in Settings.model_fields}
    assert lines["GANGWAY_ENCRYPTION_KEYS"] == "***,***"
    assert lines["GANGWAY_CHECKOUT_ORIGINS"] == "https://a.example,https://b.example"
    assert lines["GANGWAY_TERMS_URL"] == ""
    assert SECRET not in answer.output
    assert KEY not in answer.output


def test_masks_the_password_of_a_database(run: Run) -> None:
    answer = run("check", DATABASE_URL="postgresql+psycopg://user:geheim@127.0.0.1:1/gangway")

    assert "postgresql+psycopg://user:***@127.0.0.1:1/gangway" in answer.output
    assert "geheim" not in answer.output
    assert answer.exit_code == 1
    assert "The database does not answer: look at GANGWAY_DATABASE_URL" in answer.output


def test_masks_the_password_of_redis(run: Run) -> None:
    answer = run("check", RATE_LIMIT_STORAGE=f"redis://:geheim@127.0.0.1:{free_port()}/0")

    assert "GANGWAY_RATE_LIMIT_STORAGE=redis://:***@127.0.0.1:" in answer.output
    assert "geheim" not in answer.output


def test_says_when_the_tables_are_missing(run: Run, empty_database_url: str) -> None:
    answer = run("check", DATABASE_URL=empty_database_url)

    assert answer.exit_code == 1
    assert "run `gangway db upgrade`" in answer.output


def test_says_when_no_app_is_installed(run: Run) -> None:
    answer = run("check")

    assert answer.exit_code == 1
    assert "run `gangway stripe install`" in answer.output


def test_says_when_nothing_is_missing(run: Run, stripe_url: str) -> None:
    run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)

    answer = run("check", STRIPE_API_BASE=stripe_url)

    assert answer.exit_code == 0
    assert answer.output.endswith("Nothing is missing.\n")


def test_opens_one_stored_secret(app: Flask, run: Run) -> None:
    right, wrong = run("check"), run("check", ENCRYPTION_KEYS=Fernet.generate_key().decode())

    assert right.exit_code == 0, right.output
    assert wrong.exit_code == 1
    assert "GANGWAY_ENCRYPTION_KEYS opens none of the secrets in the database" in wrong.output


@pytest.mark.parametrize(
    ("oldest_code", "status", "said"),
    [("0001", 0, "Warning: The database is newer"), ("9998", 1, "install the newer release")],
)
def test_says_when_the_database_is_newer(
    oldest_code: str, status: int, said: str, app: Flask, run: Run
) -> None:
    with newer_database(app, oldest_code):
        answer = run("check")

    assert answer.exit_code == status
    assert said in answer.output


def test_names_files_that_others_can_open(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "copy.db.part"
    file.write_text("")
    file.chmod(0o640)

    answer = run("check", DATA_DIR=str(tmp_path))

    assert f"Warning: Others can open {file}: run `chmod go= {file}`.\n" in answer.output


def test_names_css_that_is_too_large(run: Run, tmp_path: Path) -> None:
    large, fit = tmp_path / "custom-nord.css", tmp_path / "custom.css"
    large.write_text("x" * 200_001)
    fit.write_text("x" * 200_000)

    answer = run("check", DATA_DIR=str(tmp_path))

    assert f"Warning: No page uses {large}, because it is over 200 kB.\n" in answer.output
    assert f"No page uses {fit}" not in answer.output
