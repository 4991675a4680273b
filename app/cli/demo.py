"""Everything in one process: a simulated Stripe, a database, the portal and the worker."""

import json
import secrets
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import click
from cryptography.fernet import Fernet
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from app import apps, create_app, migrations, operators
from app.core import db, files
from app.core.config import Settings
from app.core.environment import DEMO_FILE_NAME, PREFIX, default_data_folder, write_env_file
from app.core.errors import Conflict, NotFound, Unauthorized
from app.serving import reloading
from app.simulator import DEFAULT_API_KEY, Simulator
from app.simulator import serve as serve_simulator
from app.web import logging, mail

HOST = "127.0.0.1"
ROOT = Path(__file__).parent.parent.parent  # of a checkout: only there is something to watch

Listening = TypeVar("Listening")
FILES = ("keys.json", DEMO_FILE_NAME, "gangway.db*", "stripe.db*")
KEYS = "keys.json"


def run(
    *, port: int, stripe_port: int, folder: Path | None, fresh: bool, as_json: bool, reload: bool = False
) -> None:
    """Launch the demo, print where to go, and stop cleanly on Ctrl-C or SIGTERM.

    With `reload`, it runs in a second process, which ends when a file changes and is then started again.
    """
    folder = folder or default_data_folder() / f"demo-{port}-{stripe_port}"
    if reload and not reloading.is_running_from_reloader():
        _folder(folder, fresh=fresh)
        reloading.start_again_on_change()
        return
    with launch(port=port, stripe_port=stripe_port, folder=folder, fresh=fresh and not reload) as facts:
        text = json.dumps(facts) if as_json else _prose(facts)
        if reload:
            reloading.run_until_change(lambda: click.echo(text), [ROOT / "templates", ROOT / "static"])
            return
        stopped = _listen_for_stop()
        click.echo(text)
        stopped.wait()


@contextmanager
def launch(*, port: int, stripe_port: int, folder: Path, fresh: bool = False) -> Iterator[dict[str, Any]]:
    """Run all of it while the context lasts. The value is what `--json` prints.

    It picks up where an earlier demo left off, even one that was killed: the simulator's store and ours
    are both on disk.
    """
    folder = _folder(folder, fresh=fresh)
    portal_url, stripe_url = f"http://{HOST}:{port}", f"http://{HOST}:{stripe_port}"
    settings = _settings(folder, portal_url, stripe_url)
    logging.configure(settings)
    app = create_app(settings)
    app.extensions[mail.EXTENSION] = mail.PrintedMailbox()
    with ExitStack() as stack:
        web = stack.enter_context(_listen("portal", port, "--port", lambda: _serve(app, port)))
        with _kept_in(folder):
            simulator = Simulator(folder / "stripe.db", stripe_url, account_name=settings.company_name)
        stack.callback(simulator.close)
        serving = partial(serve_simulator, simulator, HOST, stripe_port)
        hosted = _listen("simulated Stripe", stripe_port, "--stripe-port", serving)
        stack.callback(hosted.close)
        simulator.start()
        with app.app_context():  # who calls already waits at the open port
            stack.callback(db.engine().dispose)
            migrations.upgrade()
            installed, secret = _installed(settings)
            token = _token(folder)
            people = _operators(folder)
        threading.Thread(target=web.serve_forever, name="portal", daemon=True).start()
        stack.callback(web.shutdown)
        worker = app.extensions["gangway.worker"]
        stack.callback(worker.stop)
        worker.start()
        yield {
            "portal": portal_url,
            "stripe_api_base": stripe_url,
            "stripe_api_key": DEFAULT_API_KEY,
            "app_id": installed,
            "webhook_secret": secret,
            "token": token,
            "operators": people,
        }


def _serve(app: Flask, port: int) -> BaseWSGIServer:
    """Listen. Werkzeug ends the process when a port is taken, so it gets one that is open already."""
    with socket.create_server((HOST, port), backlog=128) as listening:
        return make_server(HOST, port, app, threaded=True, request_handler=Quiet, fd=listening.fileno())


def run_simulator(*, port: int, data: Path | None) -> None:
    """Run the simulated Stripe alone until a signal stops it."""
    url = f"http://{HOST}:{port}"
    with _kept_in(data):
        simulator = Simulator(data, url)
    hosted = _listen("simulated Stripe", port, "--port", lambda: serve_simulator(simulator, HOST, port))
    simulator.start()
    stopped = _listen_for_stop()
    click.echo(f"A simulated Stripe listens at {url}; its API key is {DEFAULT_API_KEY}.")
    click.echo(f"Faults, deliveries and clocks: {url}/_control")
    stopped.wait()
    simulator.close()
    hosted.close()


@contextmanager
def _kept_in(data: Path | None) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"The simulator can't keep its data in {data}: {error}.") from error


class Quiet(WSGIRequestHandler):
    """Our own log has a line for each request already."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 (werkzeug's own name)
        """Say nothing."""


def _folder(folder: Path, *, fresh: bool) -> Path:
    """Where the demo keeps its files; of an earlier one's, only those are deleted that a demo makes."""
    try:
        files.make_folder(folder)
        for old in [old for pattern in FILES for old in folder.glob(pattern)] if fresh else []:
            old.unlink()
    except OSError as error:
        raise click.ClickException(f"The demo can't keep its files in {folder}: {error.strerror}.") from error
    return folder


def _settings(folder: Path, portal_url: str, stripe_url: str) -> Settings:
    """The demo's own settings: nothing of the environment but how it looks."""
    keys = _keys(folder)
    if not keys:
        keys = {
            "secret_key": Fernet.generate_key().decode(),
            "encryption_keys": Fernet.generate_key().decode(),
            "portal": portal_url,
            "stripe": stripe_url,
        }
        _keep(folder, keys)
    if (keys["portal"], keys["stripe"]) != (portal_url, stripe_url):
        raise click.ClickException(
            f"{folder} belongs to a demo at {keys['portal']} and {keys['stripe']}, and its links lead there: "
            "use those ports, another --data, or --fresh."
        )
    values = {
        "data_dir": str(folder.resolve()),
        "public_url": portal_url,
        "stripe_api_base": stripe_url,
        "database_url": f"sqlite:///{folder.resolve() / 'gangway.db'}",
        "rate_limit_signup": "10000 per hour",
        "rate_limit_signup_total": "10000 per hour",
        "rate_limit_api": "100000 per minute",
        "rate_limit_return": "100000 per hour",
        "rate_limit_login": "10000 per hour",
        "rate_limit_storage": "memory://",
        "worker_threads": "1",
        "log_level": "WARNING",
        "log_format": "console",
        "secret_key": keys["secret_key"],
        "encryption_keys": keys["encryption_keys"],
    }
    settings = Settings.of(values)
    _share(folder, values)
    return settings


def _share(folder: Path, values: dict[str, str]) -> None:
    """Write the settings down for commands that are called with `--data`."""
    new = folder / f"{DEMO_FILE_NAME}.new"
    new.unlink(missing_ok=True)
    variables = {f"{PREFIX}{name.upper()}": value for name, value in values.items()}
    write_env_file(new, variables, heading="The settings of this demo; each start writes them again.")
    new.replace(folder / DEMO_FILE_NAME)


def _keys(folder: Path) -> dict[str, str]:
    """What the demo keeps to itself: its two keys, and the text of its API token."""
    file = folder / KEYS
    return dict(json.loads(file.read_text())) if file.exists() else {}


def _keep(folder: Path, keys: dict[str, str]) -> None:
    files.replace(folder / KEYS, json.dumps(keys))


def _token(folder: Path) -> str:
    """The token of the demo before this one, while it is good, else a new one."""
    session, keys = db.session(), _keys(folder)
    try:
        operators.admit(session, f"Bearer {keys.get('token', '')}", scope="admin")
    except Unauthorized:
        keys["token"] = _new_token(session)
        session.commit()
        _keep(folder, keys)
    return keys["token"]


def _new_token(session: Session) -> str:
    try:
        _, text = operators.create_token(session, "demo", scope="admin", actor="demo")
    except Conflict:  # the former one is live, but its text is lost
        _, text = operators.create_token(session, f"demo {db.new_id()}", scope="admin", actor="demo")
    return text


def _operators(folder: Path) -> list[dict[str, str]]:
    """One operator of each role, with a password that is kept and is good: what is printed is true."""
    session, keys = db.session(), _keys(folder)
    people = [
        {
            "role": role.value,
            "email": f"{role}@example.com",
            "password": keys.setdefault(f"operator_{role}", secrets.token_urlsafe(12)),
        }
        for role in operators.Role
    ]
    _keep(folder, keys)
    db.start_write(session)
    for person in people:
        operators.ensure_password(
            session,
            email=person["email"],
            name=f"Demo {person['role']}",
            role=operators.Role(person["role"]),
            password=person["password"],
            actor="demo",
        )
    session.commit()
    return people


def _installed(settings: Settings) -> tuple[str, str]:
    """Install the simulated account, unless an earlier demo has. Gives the app's id and signing secret."""
    session = db.session()
    try:
        app = apps.find(session)
    except NotFound:
        app = apps.install(session, DEFAULT_API_KEY, public_url=settings.public_url, actor="demo")
    session.commit()
    apps.delete_orphans(session, apps.connect(app), settings.public_url)
    return app.id, apps.signing_secrets(session, app)[0]


def _listen(what: str, port: int, option: str, start: Callable[[], Listening]) -> Listening:
    try:
        return start()
    except OSError as error:
        raise click.ClickException(
            f"Port {port} for the {what} is taken: stop what listens there, or choose another with {option}."
        ) from error


def _listen_for_stop() -> threading.Event:
    """Have Ctrl-C and SIGTERM set an event, before we print that we run: a reader may stop us at once."""
    stopped = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stopped.set())
    return stopped


def _prose(facts: dict[str, Any]) -> str:
    people = [f"    {who['role']:8}   {who['email']:20}   {who['password']}" for who in facts["operators"]]
    return "\n".join(
        (
            "Gangway is running, with a simulated Stripe. No real card, no account, no charge.",
            "",
            f"  Sign up        {facts['portal']}/signup",
            "  Test card      4242 4242 4242 4242, any future date, any CVC",
            f"  API            {facts['portal']}/api/docs",
            f"  Token for it   {facts['token']}",
            f"  Console        {facts['portal']}/operator/",
            *people,
            f"  Simulated Stripe, with its faults   {facts['stripe_api_base']}/_control",
            "",
            "Ctrl-C stops it. The next `gangway demo` continues from there; --fresh starts over.",
        )
    )
