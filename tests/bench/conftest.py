"""Measure a portal and a simulated Stripe in separate processes."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.fernet import Fernet
from flask import Flask

from app import apps, create_app
from app.core import db
from app.core.config import Settings
from app.simulator import DEFAULT_API_KEY
from tests.bench import sites
from tests.support import postgres
from tests.support.processes import ROOT, free_port
from tests.support.tokens import bearer

PEOPLE = 50


@dataclass
class Place:
    """Where everything is."""

    database: str
    portal: str
    stripe: str
    environment: dict[str, str]
    endpoint: tuple[str, str]  # the path of the webhook, and its secret
    headers: dict[str, str]  # of a program
    stripe_pid: int

    def app(self) -> Flask:
        """Return an application with its settings, to prepare something without a server."""
        return _application(self.environment)

    def stripe_does(self, action: str, **fields: object) -> Any:
        """Tell the simulator to do something."""
        answer = requests.post(f"{self.stripe}/_control", json={"action": action, **fields}, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def gangway(self, name: str = "gangway", **settings: str) -> Any:
        """Serve the portal, with these settings in place of the usual ones."""
        own = {f"GANGWAY_{key.upper()}": value for key, value in settings.items()}
        return sites.gangway(self.portal, self.environment | own, self.endpoint, name)


def _application(environment: dict[str, str]) -> Flask:
    given = {name.removeprefix("GANGWAY_").lower(): value for name, value in environment.items()}
    return create_app(Settings.of(given))


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    """An installation that serves nothing yet, and a Stripe."""
    portal, stripe = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    key = Fernet.generate_key().decode()
    environment = {
        "GANGWAY_PUBLIC_URL": portal,
        "GANGWAY_STRIPE_API_BASE": stripe,
        "GANGWAY_DATABASE_URL": database_url,
        "GANGWAY_SECRET_KEY": key,
        "GANGWAY_ENCRYPTION_KEYS": key,
        "GANGWAY_RATE_LIMIT_SIGNUP": "1000000 per hour",
        "GANGWAY_LOG_LEVEL": "WARNING",
    }
    with ExitStack() as stack:
        command = [sys.executable, "-m", "app", "simulator", "--port", stripe.rpartition(":")[2]]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)
        sites.until_it_answers(f"{stripe}/_control.json", process)
        app = _application(environment)
        with app.app_context():
            session = db.session()
            installed = apps.install(session, DEFAULT_API_KEY, public_url=portal, actor="bench")
            session.commit()
            path = f"/api/v1/apps/{installed.id}/stripe/webhook"
            secret = apps.signing_secrets(session, installed)[0]
        headers = bearer(app)
        requests.post(f"{stripe}/_control", json={"action": "add_key", "key": sites.API_KEY}, timeout=30)
        with app.app_context():
            db.engine().dispose()
        yield Place(database_url, portal, stripe, environment, (path, secret), headers, process.pid)


@pytest.fixture
def another_database_url(server: postgres.Server | None, tmp_path: Path) -> Iterator[str]:
    """A second database with nothing in it."""
    if server is None:
        yield f"sqlite:///{tmp_path / 'another.db'}"
        return
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def things(place: Place, tmp_path: Path) -> Path:
    """A file with the Stripe customers of some people, each with another default than the one we know."""
    url = f"{place.portal}/api/v1/stripe/checkout/sessions"
    options = {"successUrl": "https://example.com/", "currency": "USD"}
    with place.gangway():
        for number in range(PEOPLE):
            body = {"customer": {"name": f"Nr {number}", "key": f"nr-{number}"}, "options": options}
            answer = requests.post(url, json=body, headers=place.headers, timeout=30)
            assert answer.status_code == 201, answer.text
    found = requests.get(f"{place.stripe}/_control/customers.json", timeout=30).json()
    for customer in found:
        customer["invoice_settings"]["default_payment_method"] = "pm_1AnotherOne"
    file = tmp_path / "things"
    file.write_text("\n".join(json.dumps(customer) for customer in found))
    return file
