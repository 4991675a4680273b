"""The production web server: gunicorn with threads, and our worker in each of its processes."""

import gc
import shutil
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from app.core import db
from app.core.config import Settings
from app.core.environment import metrics_folder, share_metrics
from app.serving.process import KEEPALIVE, Process

GRACE = 9  # seconds for the requests under way; those that wait for Stripe longer are cut off
SOCKET_UMASK = 0o117  # a unix socket is for the owner and its group


class Server(BaseApplication):
    """Gunicorn, set up in code. Threads, because a process that waits for Stripe must keep serving."""

    def __init__(self, make: Callable[[Settings], Flask], settings: Settings, bind: str) -> None:
        self._make = make
        self._settings = settings
        self._bind = bind
        self._counts: Path | None = None
        if settings.web_processes > 1 and metrics_folder() is None:
            self._counts = Path(mkdtemp(prefix="gangway-metrics-"))
            share_metrics(self._counts)  # before it forks: any process answers for all of them
        super().__init__()

    @cached_property
    def application(self) -> Flask:
        """The application, made once. The processes that are forked later share its memory."""
        return self._make(self._settings)

    def prepare(self, check: Callable[[], None]) -> None:
        """Make the application and check it, before there are other processes."""
        try:
            with self.application.app_context():
                check()
            with self.application.app_context():
                db.engine().dispose()  # no process may use the connection of another
        except BaseException:
            self._forget_counts(None)
            raise
        gc.collect()
        gc.freeze()  # else the first collection in each process would copy what they share

    def load_config(self) -> None:
        """Set gunicorn up."""
        is_unix = self._bind.startswith("unix:")
        options: dict[str, Any] = {
            "bind": self._bind,
            "worker_class": Process,
            "workers": self._settings.web_processes,
            "threads": self._settings.web_threads,
            # Without it one of two processes often idles, because connections are kept open. Unix sockets
            # have no such option.
            "reuse_port": self._settings.web_processes > 1 and not is_unix,
            "umask": SOCKET_UMASK,
            "keepalive": KEEPALIVE,
            "control_socket_disable": True,  # it would be made in the home folder
            "graceful_timeout": GRACE,
            "limit_request_line": 4094,
            "sendfile": False,  # answers go through the outbox of their connection
            # Only ProxyFix reads what proxies say, by GANGWAY_TRUSTED_PROXIES.
            "forwarded_allow_ips": "",
            "forwarder_headers": "",
            "secure_scheme_headers": {},
            "post_worker_init": _start_worker,
            "worker_exit": _stop_worker,
            "on_exit": self._forget_counts,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI application
        """Return the application, in the process that serves it."""
        return self.application

    def _forget_counts(self, _server: Any) -> None:
        if self._counts is not None:
            shutil.rmtree(self._counts, ignore_errors=True)


def _start_worker(process: Any) -> None:
    process.wsgi.extensions["gangway.worker"].start()


def _stop_worker(_server: Any, process: Any) -> None:
    if process.wsgi is not None:
        process.stop_worker().join()
