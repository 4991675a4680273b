"""The production web server: gunicorn with threads, and our worker in each of its processes."""

import shutil
from pathlib import Path
from tempfile import mkdtemp
from threading import Thread
from types import FrameType
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

from app import create_app
from app.config import Settings, metrics_folder, share_metrics

GRACE = 9  # seconds for the requests under way; whoever waits for Stripe longer is cut off


class Process(ThreadWorker):
    """A web process. Its worker stops beside its requests: gunicorn's own hook comes only after them."""

    wsgi: Flask  # type: ignore[assignment]  # which is a WSGI application
    _stopper: Thread | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM has come."""
        if self.alive:
            # Not at once: the signal may have come while a thread is started, and then none can be.
            self.method_queue.defer(self.stop_worker)
        super().handle_exit(sig, frame)

    def stop_worker(self) -> Thread:
        """Begin to stop the worker, unless that has begun. The thread does it while requests are answered."""
        if self._stopper is None:
            self._stopper = Thread(target=self.wsgi.extensions["gangway.worker"].stop, name="gangway-stopper")
            self._stopper.start()
        return self._stopper


class Server(BaseApplication):
    """Gunicorn, set up in code. Threads, because a process that waits for Stripe must go on serving."""

    def __init__(self, settings: Settings, bind: str) -> None:
        self._settings = settings
        self._bind = bind
        self._counts: Path | None = None
        if settings.web_processes > 1 and metrics_folder() is None:
            self._counts = Path(mkdtemp(prefix="gangway-metrics-"))
            share_metrics(self._counts)  # before it forks: any process answers for all of them
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up."""
        options: dict[str, Any] = {
            "bind": self._bind,
            "worker_class": Process,
            "workers": self._settings.web_processes,
            "threads": self._settings.web_threads,
            # Without it one of two processes often idles, because connections are kept open.
            "reuse_port": self._settings.web_processes > 1,
            "control_socket_disable": True,  # it would be made in the home folder
            "graceful_timeout": GRACE,
            "limit_request_line": 4094,
            "forwarded_allow_ips": "",  # who sent a request is for web/headers.py to find out, from settings
            "post_worker_init": _start_worker,
            "worker_exit": _stop_worker,
            "on_exit": self._forget_counts,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI application
        """Make the application, in the process that serves it: its connections must not be shared."""
        return create_app(self._settings)

    def _forget_counts(self, _server: Any) -> None:
        if self._counts is not None:
            shutil.rmtree(self._counts, ignore_errors=True)


def _start_worker(process: Any) -> None:
    process.wsgi.extensions["gangway.worker"].start()


def _stop_worker(_server: Any, process: Any) -> None:
    if process.wsgi is not None:
        process.stop_worker().join()
