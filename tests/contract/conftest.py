"""Fixtures of these tests: the portal behind a real port, as the official clients reach it."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask
from hypothesis import settings
from werkzeug.serving import make_server

from app.cli.demo import Quiet
from tests.support.tokens import bearer

MANY_REQUESTS = "many-requests"  # a profile of Hypothesis: `--hypothesis-profile many-requests`
settings.register_profile(MANY_REQUESTS)


@dataclass(frozen=True)
class Place:
    """Where the portal listens, and a token that it lets in."""

    url: str
    token: str


@pytest.fixture
def place(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """The portal at a free port."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield Place(f"http://127.0.0.1:{server.server_port}", bearer(app)["Authorization"].split()[1])
    server.shutdown()
    serving.join()
    server.server_close()
