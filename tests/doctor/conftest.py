"""Fixtures of these tests: the doctor is called by its command, which says all that the console shows."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.core import db
from app.doctor.cli import doctor_command
from tests.support.installed_apps import Installed, installed
from tests.support.world_fixtures import calls, clock, person, postbox, world

__all__ = ["calls", "clock", "doctor", "person", "postbox", "world"]


@dataclass(frozen=True)
class Report:
    """What `gangway doctor --json` said."""

    exit_code: int
    state: str
    findings: dict[str, dict[str, Any]]  # by code
    said: str  # beside the document

    def __getitem__(self, code: str) -> dict[str, Any]:
        return self.findings[code]

    @property
    def troubles(self) -> dict[str, str]:
        """What is amber or red."""
        return {
            code: finding["state"]
            for code, finding in self.findings.items()
            if finding["state"] in {"amber", "red"}
        }


Doctor = Callable[..., Report]


@pytest.fixture
def doctor(app: Flask) -> Doctor:
    """Run `gangway doctor --json` where one app is installed."""

    def run(*options: str) -> Report:
        result = app.test_cli_runner().invoke(doctor_command, ["--json", *options])
        assert isinstance(result.exception, SystemExit | None), result.exception
        document = json.loads(result.stdout[result.stdout.index("{\n") :])  # behind lines of the log
        [examined] = document["apps"]
        findings = {finding["code"]: finding for finding in examined["findings"]}
        return Report(result.exit_code, document["state"], findings, result.stderr)

    return run


Change = Callable[..., None]


@pytest.fixture
def own(app: Flask) -> Installed:
    """The installed app, as it was at first."""
    [found] = installed(app)
    return found


@pytest.fixture
def change(app: Flask) -> Change:
    """Change rows behind the portal's back."""

    def run(model: type, **values: object) -> None:
        with app.app_context():
            db.session().execute(sa.update(model).values(**values))
            db.session().commit()

    return run
