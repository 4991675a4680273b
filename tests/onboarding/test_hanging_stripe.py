"""Stripe takes connections and never answers: every public page still answers, and says the right thing.

With real processes and sockets. `test_waiting.py` counts the seconds on a simulated clock.
"""

import socketserver
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from tests.conftest import KEY, SECRET_KEY
from tests.support.browser import Page
from tests.support.commands import environment
from tests.support.links import make_customer, make_link
from tests.support.portal import DETAILS, sign_up
from tests.support.processes import PATIENCE, PROCESS_MARKS, free_port, gangway

pytestmark = PROCESS_MARKS


class HangingStripe:
    """A server that reads what it is sent and says nothing, for much longer than a page may take."""

    def __init__(self) -> None:
        self.calls = self.given_up = 0
        self._over = threading.Event()
        stripe = self

        class Silence(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.recv(65536)
                stripe.calls += 1
                if not stripe._over.wait(PATIENCE):
                    stripe.given_up += 1

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Silence)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "HangingStripe":
        """Listen."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Let everybody go."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()


class Browser:
    """A person's browser before the portal's process."""

    def __init__(self, portal: str, known: FlaskClient | None = None) -> None:
        self.portal, self._session = portal, requests.Session()
        self._session.trust_env = False
        cookie = known.get_cookie("gangway") if known else None
        if cookie is not None:
            self._session.cookies.set("gangway", cookie.value)

    def get(self, path: str) -> requests.Response:
        return self._session.get(self.portal + path, allow_redirects=False, timeout=PATIENCE)

    def send(self, path: str, action: str, **fields: str) -> requests.Response:
        """Press the button of a form on a page."""
        form = Page(self.get(path).text).one("form", action=action)
        hidden = {each["name"]: each.get("value") for each in form.all("input", type="hidden")}
        return self._session.post(
            self.portal + action, hidden | fields, allow_redirects=False, timeout=PATIENCE
        )


@pytest.fixture
def hanging() -> Iterator[HangingStripe]:
    with HangingStripe() as stripe:
        yield stripe


@pytest.fixture
def portal(database_url: str, app: Flask, hanging: HangingStripe) -> Iterator[str]:
    """The address of a portal with a hanging Stripe and the database of this process's application."""
    address = f"127.0.0.1:{free_port()}"
    settings = environment(
        database_url,
        SECRET_KEY=SECRET_KEY,
        ENCRYPTION_KEYS=KEY,
        STRIPE_API_BASE=hanging.url,
        WORKER_THREADS="0",
        WEBHOOKS="off",
    )
    with gangway("serve", "--bind", address, **settings) as server:
        server.wait_for(f"http://{address}/healthz")
        yield f"http://{address}"


def test_every_public_page_answers_before_stripe_gives_up(
    app: Flask, client: FlaskClient, portal: str, hanging: HangingStripe
) -> None:
    sign_up(client)  # while Stripe still answered
    link = make_link(app, make_customer(app, key="by-link", subject_keys=("by-link",)))
    known = Browser(portal, client)
    visits: dict[str, Callable[[], requests.Response]] = {
        "return": lambda: known.get("/return"),
        "sign-up": lambda: Browser(portal).send(
            "/signup", "/signup", **(DETAILS | {"key": "new", "subject_keys": "new"})
        ),
        "link": lambda: Browser(portal).send(link, link),
        "form": lambda: Browser(portal).get("/signup"),
        "cancelled": lambda: known.get("/cancelled"),
    }

    with ThreadPoolExecutor(len(visits)) as people:
        answers = dict(zip(visits, people.map(lambda visit: visit(), visits.values()), strict=True))

    assert hanging.calls  # on a busy machine, not by every page in its time
    assert hanging.given_up == 0
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {"return": 200, "sign-up": 303, "link": 503, "form": 200, "cancelled": 200}
    assert answers["sign-up"].headers["Location"].startswith("/return?")
    assert "this link still works" in answers["link"].text
    assert "Saved" not in answers["return"].text
