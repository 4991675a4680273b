"""The production web server: gunicorn with threads, and our worker in each of its processes."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from app import create_app
from app.config import Settings


class Server(BaseApplication):
    """Gunicorn, set up in code. Threads, because a process that waits for Stripe must go on serving."""

    def __init__(self, settings: Settings, bind: str) -> None:
        self._settings = settings
        self._bind = bind
        super().__init__()

    def load_config(self) -> None:
        """Set gunicorn up."""
        options: dict[str, Any] = {
            "bind": self._bind,
            "worker_class": "gthread",
            "workers": self._settings.web_processes,
            "threads": self._settings.web_threads,
            # Without it one of two processes often idles, because connections are kept open.
            "reuse_port": self._settings.web_processes > 1,
            "control_socket_disable": True,  # it would be made in the home folder
            "graceful_timeout": 10,
            "limit_request_line": 4094,
            "post_worker_init": _start_worker,
            "worker_exit": _stop_worker,
        }
        for name, value in options.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:  # type: ignore[override]  # a Flask is a WSGI application
        """Make the application, in the process that serves it: its connections must not be shared."""
        return create_app(self._settings)


def _start_worker(process: Any) -> None:
    process.wsgi.extensions["gangway.worker"].start()


def _stop_worker(_server: Any, process: Any) -> None:
    if process.wsgi is not None:
        process.wsgi.extensions["gangway.worker"].stop()
