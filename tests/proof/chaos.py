"""Many people sign up while everything fails that can fail; then every row is compared with Stripe.

    python -m tests.proof.chaos --people 1000 --errors 0.05 --kill-every 10

The portal runs as in production: `gangway serve` with two processes and two `gangway worker`. Stripe is the
simulator in another process. Calls to Stripe fail in every way, before and after they took effect. Events
come twice, late, in any order, wrongly signed, or never. Signing secrets are rolled. Web and worker
processes are killed with SIGKILL. Meanwhile programs choose defaults, an operator edits customers, and some
people never come back. When everybody is done the trouble ends, and the portal must then hold what Stripe
holds, and what it confirmed. It prints a report; the exit code is 0 when nobody is lost, doubled or wrong.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from cryptography.fernet import Fernet
from flask import Flask

from app import create_app
from app.core import db
from app.core.config import Settings
from app.simulator import DEFAULT_API_KEY
from tests.proof.chaos_crowd import Crowd, let_everybody_act
from tests.proof.chaos_end import compare_all, is_everything_done
from tests.proof.chaos_report import Report
from tests.proof.installation import PATIENCE, Installation
from tests.proof.network_staff import NetworkOperator, NetworkProgram
from tests.proof.remote_stripe import RemoteStripe
from tests.support import postgres
from tests.support.processes import free_port

OPERATOR, PASSWORD = "ada@example.com", "thirteen quiet walruses"
_random = random.SystemRandom()
FREQUENT = 60.0  # seconds; trouble as frequent as this happens at least once


@dataclass(frozen=True)
class Plan:
    """How much trouble there is."""

    people: int = 200
    at_once: int = 16
    errors: float = 0.05  # the share of calls, deliveries and so on that fail
    kill_every: float = 10.0  # seconds
    roll_every: float = 20.0  # seconds
    change_every: float = 1.0  # seconds between two changes at Stripe's Dashboard
    patience: float = 900.0  # seconds until a sign-up must work, and until all must agree after the trouble


def run(plan: Plan, database_url: str, folder: Path) -> Report:
    """Run everything on an empty database. Logs and the simulator's file go to the folder."""
    began = time.monotonic()
    portal_url, stripe_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    environment = _environment(portal_url, stripe_url, database_url)
    report = Report(plan.people)
    with ExitStack() as stack:
        simulator = Installation(environment, folder / "simulator.log")
        stack.callback(simulator.stop)
        port, file = stripe_url.rpartition(":")[2], str(folder / "stripe.db")
        simulator.start("simulator", "simulator", "--port", port, "--data", file)
        stripe = RemoteStripe(stripe_url)
        _wait_until(stripe.is_listening, PATIENCE)
        portal = Installation(environment, folder / "gangway.log")
        stack.callback(portal.stop)
        portal.run("db", "upgrade")
        portal.run("stripe", "install", "--api-key", DEFAULT_API_KEY)
        portal.start("serve", "serve", "--bind", portal_url.removeprefix("http://"))
        portal.start("worker 1", "worker", "--threads", "2")
        portal.start("worker 2", "worker", "--threads", "2")
        crowd = _hire(plan, portal, portal_url, stripe)
        stack.callback(crowd.operator.close)
        with _trouble(plan, stripe, portal, portal_url, report):
            let_everybody_act(crowd, report, people=plan.people, at_once=plan.at_once)
        portal.run("doctor", "--repair", check=False)  # its exit status reports warnings, too
        app = _application(environment)
        stack.callback(_dispose, app)
        _wait_until(
            lambda: is_everything_done(app) and compare_all(app, stripe, report, crowd),
            plan.patience,
            pause=2,
        )
        if report.verdict is None:
            compare_all(app, stripe, report, crowd)
        report.numbers["events"] = stripe.act("release")["counts"]["events"]
    report.seconds = time.monotonic() - began
    return report


def _hire(plan: Plan, portal: Installation, portal_url: str, stripe: RemoteStripe) -> Crowd:
    """Give a program its token, and log an operator in."""
    _wait_until(lambda: _is_serving(portal_url), PATIENCE)
    token = portal.run("token", "create", "program")
    portal.run("operator", "create", OPERATOR, "--password-stdin", given=PASSWORD)
    operator = NetworkOperator(portal_url, OPERATOR, PASSWORD, plan.patience)
    operator.log_in()
    program = NetworkProgram(portal_url, token, stripe, plan.patience)
    return Crowd(portal_url, plan.patience, program, operator)


def _environment(portal: str, stripe_url: str, database_url: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GANGWAY_")}
    key = Fernet.generate_key().decode()
    return kept | {
        "GANGWAY_PUBLIC_URL": portal,
        "GANGWAY_STRIPE_API_BASE": stripe_url,
        "GANGWAY_DATABASE_URL": database_url,
        "GANGWAY_SECRET_KEY": key,
        "GANGWAY_ENCRYPTION_KEYS": key,
        "GANGWAY_RATE_LIMIT_SIGNUP": "1000000 per hour",
        "GANGWAY_RATE_LIMIT_RETURN": "1000000 per minute",
        "GANGWAY_WEB_PROCESSES": "2",
        "GANGWAY_WORKER_THREADS": "0",
        "GANGWAY_PULL_INTERVAL": "10",
        "GANGWAY_BACKFILL_INTERVAL": "10",
        "GANGWAY_LOG_LEVEL": "WARNING",
    }


@contextmanager
def _trouble(
    plan: Plan, stripe: RemoteStripe, portal: Installation, portal_url: str, report: Report
) -> Iterator[None]:
    """Let everything go wrong meanwhile."""
    stripe.act(
        "fault_settings",
        error_rate=plan.errors,
        error_seconds=3,
        duplicate_rate=plan.errors,
        drop_rate=plan.errors,
        lose_rate=plan.errors,
        missign_rate=plan.errors,
        delay_max=3,
        shuffle=True,
    )
    over = threading.Event()

    def repeat(every: float, name: str, action: Callable[[], object]) -> None:
        while not over.wait(_random.uniform(0.5, 1.5) * every):
            action()
            report.numbers[name] += 1

    def roll_secrets() -> None:
        for endpoint in stripe.act("release")["endpoints"]:
            stripe.act("roll_secret", endpoint=endpoint["id"], overlap=_random.choice([0, 10]))

    def kill_one() -> None:
        # On a busy machine the portal would otherwise be killed again and again before it has started.
        _wait_until(lambda: over.is_set() or _is_serving(portal_url), PATIENCE)
        portal.kill_one()

    actions = (
        (plan.kill_every, "kills", kill_one),
        (plan.roll_every, "secrets rolled", roll_secrets),
        (plan.change_every, "changes at the Dashboard", stripe.change_something),
    )
    threads = [threading.Thread(target=repeat, args=action) for action in actions]
    for thread in threads:
        thread.start()
    frequent = [name for every, name, _ in actions if every <= FREQUENT]
    try:
        yield
        # Quick people are done before anything has happened; workers still have much to do.
        _wait_until(lambda: all(report.numbers[name] for name in frequent), plan.patience)
    finally:
        over.set()
        for thread in threads:
            thread.join()
        stripe.act("reset")


def _application(environment: dict[str, str]) -> Flask:
    given = {
        name.removeprefix("GANGWAY_").lower(): value
        for name, value in environment.items()
        if name.startswith("GANGWAY_")
    }
    return create_app(Settings.of(given))


def _dispose(app: Flask) -> None:
    with app.app_context():
        db.engine().dispose()


def _is_serving(portal_url: str) -> bool:
    with requests.Session() as session:
        session.trust_env = False  # no proxy leads to this machine
        return _is_answered(session, f"{portal_url}/healthz")


def _is_answered(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=30).ok
    except requests.RequestException:
        return False


def _wait_until(condition: Callable[[], bool], patience: float, *, pause: float = 0.2) -> None:
    """Wait for a condition, for so many seconds at most."""
    give_up, never = time.monotonic() + patience, threading.Event()
    while not condition() and time.monotonic() < give_up:
        never.wait(pause)


@contextmanager
def database(choice: str, folder: Path) -> Iterator[str]:
    """An empty database: a file, one on a new server, or the one behind a URL."""
    if choice == "sqlite":
        yield f"sqlite:///{folder / 'gangway.db'}"
    elif choice == "postgresql":
        with postgres.running() as server:
            yield server.create_database()
    else:
        yield choice


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, or the URL of an empty one")
    parser.add_argument("--people", type=int, default=Plan.people)
    parser.add_argument("--at-once", type=int, default=Plan.at_once)
    parser.add_argument(
        "--errors", type=float, default=Plan.errors, help="share of calls and deliveries that fail"
    )
    parser.add_argument("--kill-every", type=float, default=Plan.kill_every, help="seconds")
    parser.add_argument("--roll-every", type=float, default=Plan.roll_every, help="seconds")
    parser.add_argument("--change-every", type=float, default=Plan.change_every, help="seconds")
    parser.add_argument("--patience", type=float, default=Plan.patience, help="seconds until all must agree")
    parser.add_argument("--keep", type=Path, help="a folder for the files, to look at them afterwards")
    given = vars(parser.parse_args())
    choice, keep = given.pop("database"), given.pop("keep")
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with database(choice, folder) as url:
            report = run(Plan(**given), url, folder)
    print(report)  # noqa: T201
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
