"""A portal in a process of its own that kills itself, with SIGKILL, at a labelled point of what it does.

Labelled points are: before and after every request to Stripe, every commit and every answer. What runs is the
application as it is; the points are watched from outside, at the HTTP adapter, at SQLAlchemy's events and
around the WSGI application. Each point that is reached is written down.
"""

import multiprocessing
import os
import re
import resource
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import time_machine
from requests.adapters import HTTPAdapter
from sqlalchemy import orm
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app, db
from app.config import Settings

# Each process is forked, in milliseconds, from a server that has imported all there is to import.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "tests.proof.mortal"])

_IDS = re.compile(r"(?<=/)(cus|cs|pm|seti|we|evt|mandate)_\w+|(?<=/)01[0-9A-Z]{24}|\?.*")


@dataclass(frozen=True)
class Doom:
    """Where a process dies: at the so-manyeth time that it comes to a point."""

    label: str
    time: int = 1


class Mortal:
    """A running portal with its worker, at one port, until it dies."""

    def __init__(self, settings: Settings, port: int, points: Path, doom: Doom | None, now: float) -> None:
        self._process = _processes.Process(
            target=_live, args=(settings, port, points, doom, now), daemon=True
        )
        self._process.start()

    @property
    def is_dead(self) -> bool:
        """Has it died?"""
        return not self._process.is_alive()

    def limit_files(self, size: int) -> None:
        """Let it write no file beyond that size, as when the disk is full; -1 is any size."""
        pid = self._process.pid
        assert pid is not None
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def kill(self) -> None:
        """Kill it with no chance to clean up; dead already is as well."""
        self._process.kill()
        self._process.join(30)

    @property
    def was_killed(self) -> bool:
        """Did it end in no other way?"""
        return self._process.exitcode == -signal.SIGKILL


class _Points:
    def __init__(self, file: Path, doom: Doom | None) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._doom = doom
        self._times = 0
        self._lock = threading.Lock()

    def reached(self, label: str) -> None:
        """Write the point down, and die if this is the one."""
        with self._lock:
            os.write(self._file, f"{label}\n".encode())
            if self._doom is not None and label == self._doom.label:
                self._times += 1
                if self._times == self._doom.time:
                    os.kill(os.getpid(), signal.SIGKILL)


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (werkzeug's own name)
        """Say nothing."""


def _live(settings: Settings, port: int, file: Path, doom: Doom | None, now: float) -> None:
    """What the process does, at the time of whoever started it. Its output would only be in the way."""
    time_machine.travel(now, tick=True).start()
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    app = create_app(settings)
    points = _Points(file, doom)
    _watch_requests(points.reached)
    with app.app_context():
        _watch_commits(db.engine(), points.reached)
    app.wsgi_app = _watched(app.wsgi_app, points.reached)  # type: ignore[method-assign]
    app.extensions["gangway.worker"].start()
    make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet).serve_forever()


def _watch_requests(reached: Callable[[str], None]) -> None:
    send = HTTPAdapter.send

    def watched(adapter: HTTPAdapter, request: Any, *args: Any, **kwargs: Any) -> Any:
        label = f"{request.method} {_IDS.sub('…', request.path_url)}"
        reached(f"before {label}")
        answer = send(adapter, request, *args, **kwargs)
        reached(f"after {label}")
        return answer

    HTTPAdapter.send = watched  # type: ignore[method-assign,assignment]


def _watch_commits(engine: sa.Engine, reached: Callable[[str], None]) -> None:
    sa.event.listen(engine, "commit", lambda _connection: reached(f"before commit in {_whereabouts()}"))
    sa.event.listen(
        orm.Session, "after_commit", lambda _session: reached(f"after commit in {_whereabouts()}")
    )


def _whereabouts() -> str:
    """The innermost function of ours that is running, the database's own aside."""
    for frame in reversed(traceback.extract_stack()):
        place = Path(frame.filename)
        if "app" in place.parts and "site-packages" not in place.parts and place.name != "db.py":
            return f"{place.parent.name}.{place.stem}.{frame.name}"
    return "the dark"


def _watched(wsgi: Callable[..., Iterable[bytes]], reached: Callable[[str], None]) -> Any:
    def watched(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        label = f"{environ['REQUEST_METHOD']} {_IDS.sub('…', environ['PATH_INFO'])}"
        reached(f"before {label} is looked at")
        answer = wsgi(environ, start_response)
        try:
            chunks = list(answer)
        finally:
            getattr(answer, "close", lambda: None)()
        reached(f"before {label} is answered")
        yield from chunks
        reached(f"after {label} was answered")

    return watched
