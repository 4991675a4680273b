"""Fixtures of these tests: a portal in which nothing is installed yet."""

import pytest
from click.testing import Result
from flask import Flask

from app.apps.cli import install_command
from app.simulator import DEFAULT_API_KEY
from tests.support.sync_fixtures import calls, clock
from tests.support.sync_install import Install

__all__ = ["calls", "clock", "install"]


@pytest.fixture
def install(bare_app: Flask) -> Install:
    """Run `gangway stripe install`."""

    def run(api_key: str = DEFAULT_API_KEY, *options: str) -> Result:
        return bare_app.test_cli_runner().invoke(install_command, ["--api-key", api_key, *options])

    return run
