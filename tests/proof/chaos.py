"""Chaos: many people sign up while everything fails that can, and then every record is compared with Stripe.

    python -m tests.proof.chaos --people 1000 --errors 0.05 --kill-every 10

The portal runs as in production, `gangway serve` with two processes and two `gangway worker` beside it, and
Stripe is the simulator in a process of its own. Calls to Stripe fail in every way, before and after they took
effect; events come doubled, late, in any order, wrongly signed, or never; signing secrets are rolled; web and
worker processes are killed with SIGKILL. When everybody is through, all is healed, and our rows must become
what Stripe holds. Prints a report; the exit code is 0 when nobody is lost, doubled or wrong.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
import sqlalchemy as sa
from cryptography.fernet import Fernet
from flask import Flask

from app import create_app, db
from app.checkout import CheckoutSession
from app.config import Settings
from app.customers import Customer
from app.payers import Payer
from app.simulator import DEFAULT_API_KEY
from app.webhooks import Event
from tests.proof.travellers import GaveUp, Traveller
from tests.proof.truth import FINISHED, Verdict, compare
from tests.support import postgres
from tests.support.processes import free_port

JSON = dict[str, Any]
ROOT = Path(__file__).resolve().parents[2]
BOOKS = ("customers", "checkout_sessions", "setup_intents", "payment_methods", "mandates")
SAVED = "Your payment method is saved"
GOOD, DECLINED, CHALLENGED = "4242424242424242", "4000000000000002", "4000002500003155"
dice = random.SystemRandom()


@dataclass(frozen=True)
class Plan:
    """How wild it is to be."""

    people: int = 200
    at_once: int = 16
    errors: float = 0.05  # the share of everything that fails
    kill_every: float = 10.0  # seconds
    roll_every: float = 20.0  # seconds between two rollings of the signing secret
    meddle_every: float = 1.0  # seconds between two deeds at Stripe's Dashboard
    patience: float = 900.0  # seconds until all must agree, once all is healed


@dataclass
class Report:
    """What came of it."""

    people: int
    agreeing: int = 0
    lost: list[str] = field(default_factory=list)  # led to a page at Stripe that is not known as their own
    lied_to: list[str] = field(default_factory=list)  # told that a card is saved when none was
    gave_up: list[str] = field(default_factory=list)  # for whom nothing worked within their patience
    verdict: Verdict | None = None
    numbers: Counter[str] = field(default_factory=Counter)
    seconds: float = 0

    @property
    def is_good(self) -> bool:
        """Is everybody there, and nobody lost, doubled or wrong?"""
        is_whole = self.agreeing == self.people
        return is_whole and bool(self.verdict) and not (self.lost or self.lied_to or self.gave_up)

    def __str__(self) -> str:
        verdict = Verdict(0, [], [], [], []) if self.verdict is None else self.verdict
        lines = {
            "people": self.people,
            "agreeing with Stripe": self.agreeing,
            "lost": self.lost,
            "doubled": verdict.doubled,
            "wrong": verdict.wrong,
            "told something untrue": self.lied_to,
            "gave up": self.gave_up,
            "Stripe customers nobody knows": verdict.orphans,
            "unfinished events": verdict.unfinished,
            **dict(sorted(self.numbers.items())),
            "seconds": round(self.seconds),
        }
        return "\n".join(f"{name:30} {_short(value)}" for name, value in lines.items())


def _short(value: object) -> str:
    if not isinstance(value, list):
        return str(value)
    return f"{len(value)}" + "".join(f"\n    {words}" for words in value[:10])


class Processes:
    """The processes of an installation, each of which is started again when it has died."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log.open("ab")
        self._commands: dict[str, tuple[str, ...]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._over = threading.Event()
        self._nurse = threading.Thread(target=self._look_after, name="nurse", daemon=True)
        self._nurse.start()

    def run(self, *arguments: str) -> None:
        """Run a command to its end."""
        subprocess.run(
            self._command(arguments), cwd=ROOT, env=self._environment, check=True, capture_output=True
        )

    def repair(self) -> None:
        """Have the doctor mend what was done to the endpoint; the exit status tells of warnings, too."""
        command = self._command(("doctor", "--repair"))
        subprocess.run(command, cwd=ROOT, env=self._environment, check=False, capture_output=True)

    def start(self, name: str, *arguments: str) -> None:
        """Start a command that is not to end."""
        self._commands[name] = arguments
        self._running[name] = self._started(arguments)

    def kill(self) -> None:
        """Kill one of them, or one of its children, at random."""
        name = dice.choice(sorted(self._commands))
        process = self._running[name]
        children = _children(process.pid)
        if children and dice.random() < 0.7:
            _kill(dice.choice(children))
        else:
            for pid in (process.pid, *children):
                _kill(pid)

    def stop(self) -> None:
        """End them all, decently."""
        self._over.set()
        self._nurse.join()
        for process in self._running.values():
            with suppress(ProcessLookupError):
                process.terminate()
        for process in self._running.values():
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._log.close()

    def _look_after(self) -> None:
        while not self._over.wait(0.1):
            for name, process in list(self._running.items()):
                if process.poll() is not None:
                    self._running[name] = self._started(self._commands[name])

    def _started(self, arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command(arguments),
            cwd=ROOT,
            env=self._environment,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "app", *arguments]


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class Stripe:
    """The simulator, told what to do over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False

    def do(self, action: str, **fields: object) -> JSON:
        """Have it do something; its state afterwards."""
        answer = self._session.post(f"{self.url}/_control", json={"action": action, **fields}, timeout=30)
        answer.raise_for_status()
        state: JSON = answer.json()
        return state

    def book(self, name: str) -> dict[str, JSON]:
        """One of its books, by ids."""
        answer = self._session.get(f"{self.url}/_control/{name}.json", timeout=120)
        return {thing["id"]: thing for thing in answer.json()}

    def books(self) -> Any:
        """Its books."""
        return argparse.Namespace(**{name: self.book(name) for name in BOOKS})

    def meddle(self) -> None:
        """Somebody at the Dashboard changes something of somebody who has a card."""
        methods = [method for method in self.book("payment_methods").values() if method["customer"]]
        if not methods:
            return
        method, deed = (
            dice.choice(methods),
            dice.choice(["attach_card", "choose_default", "detach", "renew_card"]),
        )
        with suppress(requests.HTTPError):  # somebody else was quicker
            self.do(
                deed,
                payment_method=method["id"],
                customer=method["customer"],
                default=dice.choice(["yes", "no"]),
            )

    def is_up(self) -> bool:
        """Does it listen?"""
        try:
            return self._session.get(f"{self.url}/_control.json", timeout=5).ok
        except requests.RequestException:
            return False


def run(plan: Plan, database_url: str, folder: Path) -> Report:
    """Do it all, on an empty database; files go to the folder."""
    began = time.monotonic()
    portal, stripe_url = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    environment = _environment(portal, stripe_url, database_url)
    report = Report(plan.people)
    with ExitStack() as stack:
        outside = Processes(environment, folder / "simulator.log")
        stack.callback(outside.stop)
        outside.start(
            "simulator", "simulator", "--port", _port(stripe_url), "--data", str(folder / "stripe.db")
        )
        stripe = Stripe(stripe_url)
        _until(stripe.is_up)
        ours = Processes(environment, folder / "gangway.log")
        stack.callback(ours.stop)
        ours.run("db", "upgrade")
        ours.run("stripe", "install", "--api-key", DEFAULT_API_KEY)
        ours.start("serve", "serve", "--bind", portal.removeprefix("http://"))
        ours.start("worker 1", "worker", "--threads", "2")
        ours.start("worker 2", "worker", "--threads", "2")
        with _trouble(plan, stripe, ours, report):
            travellers = _crowd(plan, portal, report)
        ours.repair()
        app = _application(environment)
        stack.callback(_dispose, app)
        _until(lambda: _is_calm(app) and _judge(app, stripe, report, travellers), plan.patience, pause=2)
        if report.verdict is None:
            _judge(app, stripe, report, travellers)
        report.numbers["events"] = stripe.do("release")["counts"]["events"]
    report.seconds = time.monotonic() - began
    return report


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
def _trouble(plan: Plan, stripe: Stripe, ours: Processes, report: Report) -> Iterator[None]:
    """Everything goes wrong for as long as this lasts."""
    stripe.do(
        "knobs",
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

    def again_and_again(every: float, what: str, deed: Any) -> None:
        while not over.wait(dice.uniform(0.5, 1.5) * every):
            deed()
            report.numbers[what] += 1

    def roll() -> None:
        for endpoint in stripe.do("release")["endpoints"]:
            stripe.do("roll_secret", endpoint=endpoint["id"], overlap=dice.choice([0, 10]))

    deeds = (
        (plan.kill_every, "killings", ours.kill),
        (plan.roll_every, "secrets rolled", roll),
        (plan.meddle_every, "deeds at the Dashboard", stripe.meddle),
    )
    threads = [threading.Thread(target=again_and_again, args=deed) for deed in deeds]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
        stripe.do("reset")


def _crowd(plan: Plan, portal: str, report: Report) -> list[Traveller]:
    """Everybody comes, some at once."""
    with ThreadPoolExecutor(plan.at_once) as crowd:
        people = [Traveller(portal, f"traveller-{number}", patience=120) for number in range(plan.people)]
        for gone_wrong in crowd.map(_journey, people):
            report.gave_up += gone_wrong
    return people


def _journey(person: Traveller) -> list[str]:
    """Somebody signs up, saves in one way or another, and returns, or not."""
    try:
        person.signs_up()
        if dice.random() < 0.3:
            person.saves(DECLINED)
        if dice.random() < 0.2:
            person.goes_on()
        if dice.random() < 0.9:
            person.saves(dice.choice([GOOD, GOOD, CHALLENGED]))
        if dice.random() < 0.7:
            person.returns()
    except GaveUp as problem:
        return [str(problem)]
    finally:
        person.closes()
    return []


def _application(environment: dict[str, str]) -> Flask:
    given = {
        name.removeprefix("GANGWAY_").lower(): value
        for name, value in environment.items()
        if name.startswith("GANGWAY_")
    }
    return create_app(Settings.load(**given))


def _dispose(app: Flask) -> None:
    with app.app_context():
        db.engine().dispose()


def _is_calm(app: Flask) -> bool:
    """Is everything done that is known? Stripe's books are read then only: they are long."""
    with app.app_context():
        return not db.session().scalar(sa.select(sa.exists().where(Event.state.not_in(FINISHED))))


def _judge(app: Flask, stripe: Stripe, report: Report, travellers: list[Traveller]) -> bool:
    """Compare everything there is, once more."""
    books = stripe.books()
    with app.app_context():
        session = db.session()
        verdict = compare(session, books)
        whose = sa.select(CheckoutSession.id, Customer.key).join(CheckoutSession.payer).join(Payer.customer)
        owners = {page_id: name for page_id, name in session.execute(whose)}  # noqa: C416 (rows are no pairs)
    report.verdict, report.agreeing = verdict, verdict.agreeing
    report.lost = [
        f"{person.name} at {person.page_url}: of {owners.get(person.page_id)}"
        for person in travellers
        if owners.get(person.page_id) != person.name
    ]
    report.lied_to = [
        person.name for person in travellers if SAVED in person.said and not _has_saved(books, person)
    ]
    return report.is_good or bool(report.gave_up)


def _has_saved(books: Any, person: Traveller) -> bool:
    intent = books.setup_intents[books.checkout_sessions[person.page_id]["setup_intent"]]
    return bool(intent["status"] == "succeeded")


def _until(condition: Any, patience: float = 30.0, *, pause: float = 0.2) -> None:
    """Wait for a condition as long as patience lasts."""
    give_up, never = time.monotonic() + patience, threading.Event()
    while not condition() and time.monotonic() < give_up:
        never.wait(pause)


def _port(url: str) -> str:
    return url.rpartition(":")[2]


@contextmanager
def database(wanted: str, folder: Path) -> Iterator[str]:
    """An empty database: a file, one on a server of its own, or the one behind a URL."""
    if wanted == "sqlite":
        yield f"sqlite:///{folder / 'gangway.db'}"
    elif wanted == "postgresql":
        with postgres.running() as server:
            yield server.create_database()
    else:
        yield wanted


def main() -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", default="sqlite", help="sqlite, postgresql, or the URL of an empty one")
    parser.add_argument("--people", type=int, default=Plan.people)
    parser.add_argument("--at-once", type=int, default=Plan.at_once)
    parser.add_argument("--errors", type=float, default=Plan.errors, help="share of everything that fails")
    parser.add_argument("--kill-every", type=float, default=Plan.kill_every, help="seconds")
    parser.add_argument("--roll-every", type=float, default=Plan.roll_every, help="seconds")
    parser.add_argument("--meddle-every", type=float, default=Plan.meddle_every, help="seconds")
    parser.add_argument("--patience", type=float, default=Plan.patience, help="seconds until all must agree")
    parser.add_argument("--keep", type=Path, help="a folder for the files, to look at them afterwards")
    given = vars(parser.parse_args())
    wanted, keep = given.pop("database"), given.pop("keep")
    with tempfile.TemporaryDirectory() as passing:
        folder = keep or Path(passing)
        folder.mkdir(parents=True, exist_ok=True)
        with database(wanted, folder) as url:
            report = run(Plan(**given), url, folder)
    print(report)  # noqa: T201
    return 0 if report.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
