"""A portal in another process, which kills itself with SIGKILL when it reaches a chosen crash point.

The process runs the web application and its worker as they are. It writes every crash point that it reaches
to a file, so that a test can learn which points there are and then die at each of them.
"""

import multiprocessing
import os
import resource
import signal
import sys
import threading
from dataclasses import dataclass
from pathlib import Path

import time_machine
from werkzeug.serving import WSGIRequestHandler, make_server

from app import create_app
from app.core.config import Settings
from tests.support import crash_points

# Each process is forked, in milliseconds, from a server that has imported everything there is to import.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["pytest", "tests.proof.portal_process"])


@dataclass(frozen=True)
class CrashPoint:
    """Where a process dies: when it reaches the point with this label for the n-th time."""

    label: str
    time: int = 1


class PortalProcess:
    """A running portal with its worker, at one port, until it dies."""

    def __init__(
        self, settings: Settings, port: int, points: Path, dies_at: CrashPoint | None, now: float
    ) -> None:
        self._process = _processes.Process(
            target=_run, args=(settings, port, points, dies_at, now), daemon=True
        )
        self._process.start()

    @property
    def is_dead(self) -> bool:
        """Has it died?"""
        return not self._process.is_alive()

    @property
    def was_killed(self) -> bool:
        """Did it die by SIGKILL, and not by an error?"""
        return self._process.exitcode == -signal.SIGKILL

    def limit_files(self, size: int) -> None:
        """Let it write no file beyond this size, as if the disk were full; -1 is any size."""
        pid = self._process.pid
        assert pid is not None
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def kill(self) -> None:
        """Kill it without a chance to clean up, if it is not dead already."""
        self._process.kill()
        self._process.join()


class _Recorder:
    """Writes crash points to a file, and kills the process at the chosen one."""

    def __init__(self, file: Path, dies_at: CrashPoint | None) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._dies_at = dies_at
        self._times = 0
        self._lock = threading.Lock()

    def reached(self, label: str) -> None:
        with self._lock:
            os.write(self._file, f"{label}\n".encode())
            if self._dies_at is not None and label == self._dies_at.label:
                self._times += 1
                if self._times == self._dies_at.time:
                    os.kill(os.getpid(), signal.SIGKILL)


class _QuietHandler(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (werkzeug's own name)
        """Say nothing."""


def _run(settings: Settings, port: int, file: Path, dies_at: CrashPoint | None, now: float) -> None:
    """What the process does, at the time of the test that started it. Its output would only disturb."""
    time_machine.travel(now, tick=True).start()
    sys.stdout = sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    app = create_app(settings)
    crash_points.watch(app, _Recorder(file, dies_at).reached)
    app.extensions["gangway.worker"].start()
    make_server("127.0.0.1", port, app, threaded=True, request_handler=_QuietHandler).serve_forever()
