"""Runs one operator action in a process that is killed in the middle of it, with no chance to clean up.

The process kills itself, with SIGKILL, at the n-th of its crash points. A test goes through n = 1, 2, …
until the action ends before it is killed.
"""

import multiprocessing
import os
import signal
import sys
import time
from dataclasses import dataclass

import time_machine
from flask import Flask

from app import apps, create_app
from app.apps.cli import install_command
from app.core import db
from app.core.config import Settings
from tests.support import crash_points

PATIENCE = 120.0  # seconds

# Each process is forked, in milliseconds, from a server that has imported everything there is to import.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "tests.support.killed"])


@dataclass(frozen=True)
class Installs:
    """Run `gangway stripe install`."""

    api_key: str

    def __call__(self, app: Flask) -> None:
        app.test_cli_runner().invoke(install_command, ["--api-key", self.api_key])


@dataclass(frozen=True)
class Rolls:
    """Roll the signing secret of an app, if this is its endpoint."""

    app_id: str
    endpoint_id: str

    def __call__(self, app: Flask) -> None:
        with app.app_context():
            session = db.session()
            url = app.extensions["gangway.settings"].public_url
            apps.roll_secret(session, self.app_id, public_url=url, actor="test", endpoint_id=self.endpoint_id)
            session.commit()


Action = Installs | Rolls


def killed_at(point: int, settings: Settings, action: Action) -> bool:
    """Do something in a process that dies at that crash point; False if it was done before."""
    process = _processes.Process(target=_run, args=(point, settings, action, time.time()), daemon=True)
    process.start()
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"{action} did not end within {PATIENCE} seconds")
    exitcode = process.exitcode
    process.close()
    assert exitcode in {0, -signal.SIGKILL}, f"ended with {exitcode}"
    return exitcode != 0


def _run(point: int, settings: Settings, action: Action, now: float) -> None:
    """What the process does, at the time of the test that started it. Its output would only disturb."""
    time_machine.travel(now, tick=True).start()
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    app = create_app(settings)
    left = point

    def reached(_label: str) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    crash_points.watch(app, reached)
    action(app)
