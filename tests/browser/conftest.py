"""The whole product on two ports, and a real Chromium that looks at it."""

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from werkzeug.serving import make_server

from app.cli.demo import Quiet
from app.core import db
from app.simulator import Simulator, serve
from tests.conftest import make_settings
from tests.support.applications import Applications
from tests.support.console import sign_in
from tests.support.installation import Installations

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Visit = Callable[..., AbstractContextManager[Page]]
PATIENCE = 120_000  # milliseconds, for a machine that is busy with much else
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    # Without the suggestions of its address bar, a web page for each window that costs more than ours.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,OptimizationHints,PaintHolding,MediaRouter",
]


@dataclass
class Place:
    """The portal and the simulated Stripe, each at its address."""

    app: Flask
    simulator: Simulator
    portal: str
    stripe: str

    def log_in(self, page: Page, role: str = "operator") -> FlaskClient:
        """Give a browser the session of a new operator, which the client that comes back has too."""
        client = sign_in(self.app, role)
        cookie = client.get_cookie("gangway")
        assert cookie is not None
        page.context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": self.portal}])
        return client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands here."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


class Frontage:
    """A server's port, behind which each test puts an application."""

    app: Flask

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.app(environ, start_response)


@pytest.fixture(scope="session")
def launch() -> Iterator[Callable[[], Browser]]:
    """Start Chromium from $CHROMIUM or the path; without one these tests are skipped, but never in CI."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if found is None:
        if os.environ.get("CI"):
            pytest.fail("CI needs a chromium")
        pytest.skip("no chromium: set CHROMIUM or install Debian's package")
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        yield partial(playwright.chromium.launch, executable_path=found, args=CHROMIUM_OPTIONS)


@pytest.fixture(scope="session")
def browsers(launch: Callable[[], Browser]) -> Iterator[list[Browser]]:
    """The browsers that were started; closed at the end."""
    started: list[Browser] = []
    yield started
    for browser in started:
        browser.close()


@pytest.fixture
def chromium(launch: Callable[[], Browser], browsers: list[Browser]) -> Browser:
    """The browser of this process of the tests, or another when it crashed."""
    if not browsers or not browsers[-1].is_connected():
        browsers.append(launch())
    return browsers[-1]


@pytest.fixture(scope="session")
def hosted() -> Iterator[tuple[Simulator, str]]:
    """The simulated Stripe of this process of the tests, and its address."""
    simulator = Simulator(retry_schedule=(1, 1, 1))
    server = serve(simulator, "127.0.0.1", 0)
    yield simulator, server.url
    simulator.close()
    server.close()


@pytest.fixture(scope="session")
def frontage() -> Iterator[tuple[Frontage, str]]:
    """The portal's port, and its address."""
    front = Frontage()
    web = make_server("127.0.0.1", 0, front, threaded=True, request_handler=Quiet)
    serving = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    yield front, f"http://127.0.0.1:{web.server_port}"
    web.shutdown()
    serving.join()
    web.server_close()


@pytest.fixture(scope="session")
def portals(hosted: tuple[Simulator, str], migrated_engine: sa.Engine) -> Applications:
    """The applications that talk to that simulated Stripe."""
    return Applications(hosted[0].wsgi, like=migrated_engine)


@pytest.fixture
def place(
    database_url: str,
    hosted: tuple[Simulator, str],
    frontage: tuple[Frontage, str],
    portals: Applications,
    installations: Installations,
) -> Iterator[Place]:
    """Everything that `gangway demo` starts, with nobody in it."""
    simulator, stripe = hosted
    front, portal = frontage
    simulator.reset()
    simulator.public_url = stripe
    settings = make_settings(database_url=database_url, public_url=portal, stripe_api_base=stripe)
    front.app = app = portals.take(settings)
    installations.make(app, simulator, public_url=portal)
    simulator.start()
    worker = app.extensions["gangway.worker"]
    worker.start()
    yield Place(app, simulator, portal, stripe)
    worker.stop()
    simulator.close()
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
        assert strangers == []  # no page sends its visitors' addresses anywhere else
        assert [text for text in complaints if "status of 4" not in text] == []

    return opened
