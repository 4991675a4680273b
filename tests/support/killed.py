"""A process of its own that does one thing and is killed in the middle of it, with no chance to clean up.

It is killed by itself, with SIGKILL, at the n-th boundary between two steps: before and after every request
to Stripe, and before and after every commit to the database. What it runs is the application as it is; the
boundaries are watched from outside, at the HTTP adapter and at SQLAlchemy's events.
"""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import time_machine
from flask import Flask
from requests.adapters import HTTPAdapter
from sqlalchemy import orm

from app import apps, create_app, db, sync
from app.apps.cli import install_command
from app.config import Settings

# Each process is forked, in milliseconds, from a server that has imported all there is to import.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "tests.support.killed"])


@dataclass(frozen=True)
class Posts:
    """Post something to the portal: a form, with a browser's cookie, or an event."""

    path: str
    data: Mapping[str, Any] | bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cookie: str = ""

    def __call__(self, app: Flask) -> int:
        """Do it; the status of the answer."""
        client = app.test_client()
        if self.cookie:
            client.set_cookie("gangway", self.cookie)
        data = self.data if isinstance(self.data, bytes) else dict(self.data)
        return client.post(self.path, data=data, headers=dict(self.headers)).status_code


@dataclass(frozen=True)
class Opens:
    """Open a page of the portal."""

    path: str
    cookie: str

    def __call__(self, app: Flask) -> int:
        """Do it; the status of the answer."""
        client = app.test_client()
        client.set_cookie("gangway", self.cookie)
        return client.get(self.path).status_code


@dataclass(frozen=True)
class Works:
    """Do what is due, as a worker."""

    def __call__(self, app: Flask) -> int:
        """Do it; the number of turns."""
        with app.app_context():
            return sync.drain()


@dataclass(frozen=True)
class Tends:
    """Do what the worker's timers ask for."""

    def __call__(self, app: Flask) -> int:
        """Do it; the number of steps."""
        with app.app_context():
            steps = 1
            while sync.tend(db.session()):
                steps += 1
            return steps


@dataclass(frozen=True)
class Installs:
    """Run `gangway stripe install`."""

    api_key: str

    def __call__(self, app: Flask) -> str:
        """Do it; what was printed."""
        return app.test_cli_runner().invoke(install_command, ["--api-key", self.api_key]).output


@dataclass(frozen=True)
class Rolls:
    """Roll the signing secret of an app, when this is its endpoint."""

    app_id: str
    endpoint_id: str

    def __call__(self, app: Flask) -> None:
        """Do it."""
        with app.app_context():
            session = db.session()
            url = app.extensions["gangway.settings"].public_url
            apps.roll_secret(session, self.app_id, public_url=url, actor="test", endpoint_id=self.endpoint_id)
            session.commit()


Action = Posts | Opens | Works | Tends | Installs | Rolls


def killed_at(boundary: int, settings: Settings, action: Action) -> bool:
    """Do something in a process that is killed at that boundary; False when it was done before."""
    process = _processes.Process(target=_run, args=(boundary, settings, action, time.time()))
    process.start()
    process.join(60)
    exitcode = process.exitcode
    process.close()
    assert exitcode in {0, -signal.SIGKILL}, f"ended with {exitcode}"
    return exitcode != 0


def _run(boundary: int, settings: Settings, action: Action, now: float) -> None:
    """What the process does, at the time of whoever started it. Its output would only be in the way."""
    time_machine.travel(now, tick=True).start()
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    app = create_app(settings)
    left = boundary

    def reached() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    _watch_requests(reached)
    with app.app_context():
        _watch_commits(db.engine(), reached)
    action(app)


def _watch_requests(reached: Callable[[], None]) -> None:
    send = HTTPAdapter.send

    def watched(*args: Any, **kwargs: Any) -> Any:
        reached()
        answer = send(*args, **kwargs)
        reached()
        return answer

    HTTPAdapter.send = watched  # type: ignore[method-assign]


def _watch_commits(engine: sa.Engine, reached: Callable[[], None]) -> None:
    sa.event.listen(engine, "commit", lambda _connection: reached())
    sa.event.listen(orm.Session, "after_commit", lambda _session: reached())
