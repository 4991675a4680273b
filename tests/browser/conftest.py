"""The whole product on two ports, and a real Chromium that looks at it."""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from app import apps, create_app, db
from app.demo import Quiet
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator.server import serve
from tests.conftest import make_settings

Visit = Callable[..., AbstractContextManager[Page]]
PATIENCE = 120_000  # milliseconds, for a machine that is busy with much else


@dataclass
class Place:
    """The portal and the simulated Stripe, each at its address."""

    app: Flask
    simulator: Simulator
    portal: str
    stripe: str


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands here."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Chromium from $CHROMIUM or the path; without one these tests are skipped, but never in CI."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a chromium")
        pytest.skip("no chromium: set CHROMIUM or install Debian's package")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"],
        )
        yield browser
        browser.close()


@pytest.fixture
def place(database_url: str) -> Iterator[Place]:
    """Everything that `gangway demo` starts, on ports that the system chooses."""
    simulator = Simulator(retry_schedule=(1, 1, 1))
    hosted = serve(simulator, "127.0.0.1", 0)
    stripe = simulator.public_url = hosted.url
    listening = socket.create_server(("127.0.0.1", 0))
    portal_port = listening.getsockname()[1]
    portal = f"http://127.0.0.1:{portal_port}"
    app = create_app(make_settings(database_url=database_url, public_url=portal, stripe_api_base=stripe))
    web = make_server(
        "127.0.0.1", portal_port, app, threaded=True, request_handler=Quiet, fd=listening.fileno()
    )
    simulator.start()
    serving = threading.Thread(target=web.serve_forever)
    serving.start()
    with app.app_context():
        apps.install(db.session(), DEFAULT_API_KEY, public_url=portal, actor="test")
        db.session().commit()
    worker = app.extensions["gangway.worker"]
    worker.start()
    yield Place(app, simulator, portal, stripe)
    worker.stop()
    web.shutdown()
    serving.join()
    web.server_close()
    listening.close()
    simulator.close()
    hosted.close()
    with app.app_context():
        db.engine().dispose()


@pytest.fixture
def visit(chromium: Browser, place: Place) -> Visit:
    """Open a page as somebody new; whatever the browser complains of fails the test."""

    @contextmanager
    def opened(**options: object) -> Iterator[Page]:
        context: BrowserContext = chromium.new_context(base_url=place.portal, **options)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        complaints: list[str] = []
        page.on(
            "console", lambda message: complaints.append(message.text) if message.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        strangers: list[str] = []
        own = (place.portal, place.stripe)
        page.on("request", lambda r: None if r.url.startswith(own) else strangers.append(r.url))
        yield page
        context.close()
        assert strangers == []
        assert [text for text in complaints if "status of 4" not in text] == []

    return opened
