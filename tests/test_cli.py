"""The `gangway` command."""

import hashlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from cryptography.fernet import Fernet

from app import create_app, db, migrations
from app.apps import App
from app.cli import main
from app.config import Settings
from app.db import utcnow
from app.operators.models import OneTimeLink
from app.payers import Payer
from app.server import Server
from app.simulator import DEFAULT_API_KEY, DEFAULT_RESTRICTED_KEY, Simulator
from app.simulator.server import serve as serve_simulator
from app.sync import Backfill, Beat
from app.sync.worker import STOPPING
from tests.conftest import KEY, make_settings
from tests.support.logs import lines_of
from tests.support.portal import sign_up
from tests.support.processes import fetch, free_port, running, wait_until
from tests.support.stripe_calls import StripeCalls

pytestmark = pytest.mark.usefixtures("unlogged")
SECRET = "hunter2" * 5

Run = Callable[..., Result]


def environment(database_url: str, **more: str) -> dict[str, str]:
    """A complete environment, with these settings besides."""
    least = {
        "GANGWAY_SECRET_KEY": SECRET,
        "GANGWAY_ENCRYPTION_KEYS": KEY,
        "GANGWAY_DATABASE_URL": database_url,
        "GANGWAY_LOG_LEVEL": "ERROR",
    }
    return least | {f"GANGWAY_{name}": value for name, value in more.items()}


@pytest.fixture(autouse=True)
def _connections_end_with_their_command() -> Iterator[None]:
    """A command's connections end with its process; here that is the tests' own."""
    opened: list[Any] = []

    def note(connection: Any, _record: object) -> None:
        opened.append(connection)

    sa.event.listen(sa.Pool, "connect", note)
    yield
    sa.event.remove(sa.Pool, "connect", note)
    for connection in opened:
        connection.close()


@pytest.fixture
def stripe_url(simulator: Simulator) -> Iterator[str]:
    """Where the simulated Stripe listens."""
    server = serve_simulator(simulator, "127.0.0.1", 0)
    yield server.url
    server.close()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, database_url: str) -> Run:
    """Run a command with a complete environment and a migrated database."""

    def command(*arguments: str, **settings: str) -> Result:
        for name, value in environment(database_url, **settings).items():
            monkeypatch.setenv(name, value)
        return CliRunner().invoke(main, list(arguments), prog_name="gangway")

    return command


def rows(database_url: str, model: type) -> list[Any]:
    app = create_app(Settings.load(secret_key=SECRET, encryption_keys=KEY, database_url=database_url))
    with app.app_context():
        found: list[Any] = list(db.session().scalars(sa.select(model)).unique())
        db.session().close()
        db.engine().dispose()
    return found


def test_lists_its_commands() -> None:
    answer = CliRunner().invoke(main, ["-h"])

    assert answer.exit_code == 0
    for name in ("check", "db", "demo", "key", "serve", "simulator", "stripe", "worker"):
        assert f"  {name}" in answer.output


def test_key_prints_a_fresh_key_for_both_settings() -> None:
    one, other = (CliRunner().invoke(main, ["key"]).output.strip() for _ in range(2))

    assert one != other
    assert Fernet(one)
    assert Settings.load(secret_key=one, encryption_keys=other)


@pytest.mark.parametrize(
    "command", [["check"], ["db", "upgrade"], ["serve"], ["worker"], ["stripe", "install", "--api-key", "x"]]
)
def test_says_in_a_sentence_what_to_set(command: list[str]) -> None:
    answer = CliRunner().invoke(main, command)

    assert answer.exit_code == 1
    assert "Error: GANGWAY_SECRET_KEY is missing: set it." in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    "command",
    [
        ["operator", "list"],
        ["stripe", "list"],
        ["token", "create", "reports"],
        ["backfill"],
        ["serve"],
        ["worker"],
        ["doctor"],
    ],
    ids=" ".join,
)
def test_says_in_a_sentence_that_tables_are_missing(
    command: list[str], run: Run, empty_database_url: str
) -> None:
    answer = run(*command, DATABASE_URL=empty_database_url)

    assert answer.exit_code in {1, 3}
    assert "run `gangway db upgrade`" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    "command", [["operator", "list"], ["db", "upgrade"], ["serve"], ["backfill"]], ids=" ".join
)
def test_says_in_a_sentence_that_the_database_is_away(command: list[str], run: Run) -> None:
    answer = run(*command, DATABASE_URL="sqlite:////no/such/folder/x.db")

    assert answer.exit_code == 1
    assert "look at GANGWAY_DATABASE_URL" in answer.output


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["db", "downgrade", "nope"], "nope"),
        (["serve", "--bind", "nonsense"], "such as 127.0.0.1:8000"),
        (["serve", "--bind", "127.0.0.1:99999"], "such as 127.0.0.1:8000"),
        (["worker", "--threads", "0"], "'--threads'"),
        (["token", "create", "reports", "--expires", "2020-01-01"], "this day is over"),
    ],
)
def test_refuses_what_makes_no_sense(command: list[str], said: str, run: Run) -> None:
    answer = run(*command)

    assert answer.exit_code in {1, 2}
    assert said in answer.output
    assert isinstance(answer.exception, SystemExit)


class TestCheck:
    """`gangway check`."""

    def test_prints_settings_with_their_secrets_masked(self, run: Run) -> None:
        answer = run(
            "check",
            ENCRYPTION_KEYS=f"{KEY},{KEY}",
            RATE_LIMIT_STORAGE="memory://",
            CHECKOUT_ORIGINS="https://a.example,https://b.example",
        )

        lines = dict(line.split("=", 1) for line in answer.output.splitlines() if line.startswith("GANGWAY_"))
        assert set(lines) == {f"GANGWAY_{name.upper()}" for name in Settings.model_fields}
        assert lines["GANGWAY_ENCRYPTION_KEYS"] == "***,***"
        assert lines["GANGWAY_CHECKOUT_ORIGINS"] == "https://a.example,https://b.example"
        assert lines["GANGWAY_TERMS_URL"] == ""
        assert SECRET not in answer.output
        assert KEY not in answer.output

    def test_masks_the_password_of_a_database(self, run: Run) -> None:
        answer = run("check", DATABASE_URL="postgresql+psycopg://user:geheim@127.0.0.1:1/gangway")

        assert "postgresql+psycopg://user:***@127.0.0.1:1/gangway" in answer.output
        assert "geheim" not in answer.output
        assert answer.exit_code == 1
        assert "The database does not answer: look at GANGWAY_DATABASE_URL." in answer.output

    def test_masks_the_password_of_redis(self, run: Run) -> None:
        answer = run("check", RATE_LIMIT_STORAGE=f"redis://:geheim@127.0.0.1:{free_port()}/0")

        assert "GANGWAY_RATE_LIMIT_STORAGE=redis://:***@127.0.0.1:" in answer.output
        assert "geheim" not in answer.output

    def test_says_when_the_tables_are_missing(self, run: Run, empty_database_url: str) -> None:
        answer = run("check", DATABASE_URL=empty_database_url)

        assert answer.exit_code == 1
        assert "run `gangway db upgrade`" in answer.output

    def test_says_when_no_app_is_installed(self, run: Run) -> None:
        answer = run("check")

        assert answer.exit_code == 1
        assert "run `gangway stripe install --api-key …`" in answer.output

    def test_says_when_nothing_is_missing(self, run: Run, stripe_url: str) -> None:
        run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)

        answer = run("check", STRIPE_API_BASE=stripe_url)

        assert answer.exit_code == 0
        assert answer.output.endswith("Nothing is missing.\n")


class TestDatabase:
    """`gangway db`."""

    def test_upgrades_an_empty_database_and_does_nothing_twice(
        self, run: Run, empty_database_url: str
    ) -> None:
        before = run("db", "check", DATABASE_URL=empty_database_url)
        answers = [run("db", "upgrade", DATABASE_URL=empty_database_url) for _ in range(2)]
        after = run("db", "check", DATABASE_URL=empty_database_url)

        assert before.exit_code == 1
        assert "Steps are pending" in before.output
        first, second = (answer.output for answer in answers)
        assert first.startswith("The database is up to date.")  # and on some servers, what the search misses
        assert second == first
        assert (after.exit_code, after.output) == (0, "The database fits the code.\n")

    def test_downgrades_to_nothing(self, run: Run) -> None:
        answer = run("db", "downgrade", "base")

        assert answer.output == "The database is at base.\n"
        assert run("db", "check").exit_code == 1

    def test_tells_drift(self, run: Run, database_url: str) -> None:
        app = create_app(Settings.load(secret_key=SECRET, encryption_keys=KEY, database_url=database_url))
        with app.app_context():
            session = db.session()
            session.connection().exec_driver_sql("DROP TABLE signup")
            session.commit()
            db.engine().dispose()

        answer = run("db", "check")

        assert answer.exit_code == 1
        assert "signup" in answer.output


class TestStripeInstall:
    """`gangway stripe install`."""

    def test_installs_the_account_and_its_webhook(
        self, run: Run, stripe_url: str, simulator: Simulator, database_url: str
    ) -> None:
        answer = run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)

        assert answer.exit_code == 0, answer.output
        [app] = rows(database_url, App)
        [endpoint] = simulator.books.webhook_endpoints.values()
        assert endpoint["url"] == f"http://127.0.0.1:8000/api/v1/apps/{app.id}/stripe/webhook"
        assert endpoint["url"] in answer.output
        assert app.stripe_account_id in answer.output
        assert "test mode" in answer.output
        assert DEFAULT_API_KEY not in answer.output

    @pytest.mark.parametrize(
        ("key", "said"),
        [
            ("nonsense", "This is no secret Stripe key"),
            ("pk_test_51Abcdefgh", "This is no secret Stripe key"),
            ("sk_test_51Abcdefgh", "Stripe does not know this API key."),
            ("sk_live_51Abcdefgh", "A live key needs a public URL that Stripe can reach over https"),
            ("rk_live_51Abcdefgh", "A live key needs a public URL that Stripe can reach over https"),
            (DEFAULT_RESTRICTED_KEY, "it may not read the account"),
        ],
    )
    def test_refuses_a_key_in_a_sentence(
        self, run: Run, stripe_url: str, simulator: Simulator, database_url: str, key: str, said: str
    ) -> None:
        answer = run("stripe", "install", "--api-key", key, STRIPE_API_BASE=stripe_url)

        assert answer.exit_code == 1
        assert answer.output.startswith("Error: ")
        assert said in answer.output
        assert rows(database_url, App) == []
        assert not simulator.books.webhook_endpoints

    @pytest.mark.parametrize(
        "url",
        [
            "https://127.0.0.1",
            "https://10.1.2.3",
            "https://localhost",
            "https://portal.local",
            "https://portal",
        ],
    )
    def test_refuses_a_live_key_where_stripe_can_not_reach_us(
        self, run: Run, stripe_url: str, database_url: str, url: str
    ) -> None:
        key = "sk_live_51Abcdefgh"

        answer = run("stripe", "install", "--api-key", key, STRIPE_API_BASE=stripe_url, PUBLIC_URL=url)

        assert answer.exit_code == 1
        assert "A live key needs a public URL that Stripe can reach" in answer.output
        assert rows(database_url, App) == []

    def test_refuses_an_account_twice(
        self, run: Run, stripe_url: str, simulator: Simulator, database_url: str
    ) -> None:
        run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)

        answer = run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)

        assert answer.exit_code == 1
        assert "is installed already in test mode" in answer.output
        assert len(rows(database_url, App)) == len(simulator.books.webhook_endpoints) == 1

    def test_says_when_stripe_is_away(self, run: Run, database_url: str) -> None:
        answer = run(
            "stripe",
            "install",
            "--api-key",
            DEFAULT_API_KEY,
            STRIPE_API_BASE=f"http://127.0.0.1:{free_port()}",
        )

        assert answer.exit_code == 1
        assert answer.output == "Error: Stripe can't be reached.\n"
        assert rows(database_url, App) == []


class TestServe:
    """`gangway serve`."""

    def test_refuses_a_database_without_tables(self, run: Run, empty_database_url: str) -> None:
        answer = run("serve", DATABASE_URL=empty_database_url)

        assert answer.exit_code == 1
        assert "run `gangway db upgrade` first" in answer.output

    @pytest.mark.parametrize("processes", ["1", "2"])
    def test_answers_and_stops_when_told(self, database_url: str, processes: str) -> None:
        port = free_port()
        settings = environment(database_url, WEB_PROCESSES=processes)

        with running("serve", "--bind", f"127.0.0.1:{port}", **settings) as server:
            wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200)
            ready = fetch(f"http://127.0.0.1:{port}/readyz")
            page = fetch(f"http://127.0.0.1:{port}/signup")

            status = server.tell(signal.SIGTERM)

        assert ready[0] == 200
        assert "Your details" in page[1]
        assert status == 0

    def test_says_in_its_log_how_the_first_operator_is_made(self, database_url: str) -> None:
        port, settings = free_port(), environment(database_url, LOG_LEVEL="WARNING")
        with running("serve", "--bind", f"127.0.0.1:{port}", **settings) as server:
            wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200)
            server.process.terminate()
            _, _, said = server.end()

        [line] = [line for line in lines_of(said) if line["event"] == "no operator yet"]
        token = line["set_up_once_at"].removeprefix("http://127.0.0.1:8000/operator/setup?token=")
        assert [link.token_hash for link in rows(database_url, OneTimeLink)] == [
            hashlib.sha256(token.encode()).hexdigest()
        ]

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_converges_by_itself_and_stops_when_told(
        self, run: Run, stripe_url: str, simulator: Simulator, database_url: str, number: signal.Signals
    ) -> None:
        run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)
        begin_one(database_url, simulator)
        settings = environment(database_url, STRIPE_API_BASE=stripe_url)

        with running("serve", "--bind", f"127.0.0.1:{free_port()}", **settings) as server:
            wait_until(lambda: rows(database_url, Payer)[0].verified_at is not None)
            status = server.tell(number)

        assert status == 0
        assert rows(database_url, Beat) == []

    def test_stops_within_ten_seconds_and_gives_back_what_stripe_keeps_waiting(
        self, run: Run, stripe_url: str, simulator: Simulator, database_url: str
    ) -> None:
        run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)
        token = run("token", "create", "test").output.strip()
        begin_one(database_url, simulator)
        simulator.knobs.latency = 60
        calls, port = StripeCalls.of(simulator), free_port()
        settings = environment(database_url, STRIPE_API_BASE=stripe_url, WORKER_THREADS="2")

        with running("serve", "--bind", f"127.0.0.1:{port}", **settings) as server:
            wait_until(lambda: fetch(f"http://127.0.0.1:{port}/healthz")[0] == 200)
            with closing(HTTPConnection("127.0.0.1", port)) as connection:
                begin_another(connection, token)
                # a convergence, a look through the list of events, and the request
                wait_until(lambda: len(set(calls.made)) == 3)
                before, began = leases(database_url), time.monotonic()

                status = server.tell(signal.SIGTERM)
                took = time.monotonic() - began

        assert None not in before
        assert leases(database_url) == {None}
        assert rows(database_url, Beat) == []
        assert status == 0
        assert took < 12  # ten, and what a busy machine needs besides

    def test_has_time_to_give_back_before_it_is_killed(self) -> None:
        grace = Server(make_settings(), "127.0.0.1:0").cfg.graceful_timeout

        assert grace - STOPPING >= 1
        assert grace < 10


def leases(database_url: str) -> set[str | None]:
    """The leases of all payers and lists, and None if any is free."""
    return {row.lease for model in (Payer, Backfill) for row in rows(database_url, model)}


def begin_another(connection: HTTPConnection, token: str) -> None:
    """Ask for a page, and do not wait for the answer."""
    body = {"customer": {"name": "Grace", "usageAttribution": {"subjectKeys": ["grace"]}}}
    options = {"options": {"successURL": "https://example.com/", "currency": "USD"}}
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    connection.request("POST", "/api/v1/stripe/checkout/sessions", json.dumps(body | options), headers)


def begin_one(database_url: str, simulator: Simulator) -> None:
    """A customer whose card was saved, and of whom we have heard nothing since."""
    app = create_app(make_settings(database_url=database_url), stripe_in_process=simulator.wsgi)
    simulator.save_card(sign_up(app.test_client()))
    with app.app_context():
        session = db.session()
        for payer in session.scalars(sa.select(Payer)):
            payer.due_at = utcnow()
        session.commit()
        db.engine().dispose()


class TestWorker:
    """`gangway worker`."""

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_does_what_is_due_and_stops_when_told(
        self, run: Run, stripe_url: str, simulator: Simulator, database_url: str, number: signal.Signals
    ) -> None:
        run("stripe", "install", "--api-key", DEFAULT_API_KEY, STRIPE_API_BASE=stripe_url)
        begin_one(database_url, simulator)

        with running("worker", **environment(database_url, STRIPE_API_BASE=stripe_url)) as worker:
            wait_until(lambda: rows(database_url, Payer)[0].verified_at is not None)
            status = worker.tell(number)

        assert status == 0
        [payer] = rows(database_url, Payer)
        assert payer.default_method_id is not None


class TestSimulator:
    """`gangway simulator`."""

    def test_answers_and_stops_when_told(self, tmp_path: Any) -> None:
        port = free_port()

        with running("simulator", "--port", str(port), "--data", str(tmp_path / "books.db")) as simulator:
            line = simulator.line()
            answer = fetch(f"http://127.0.0.1:{port}/v1/account")
            status = simulator.tell(signal.SIGTERM)

        assert f"http://127.0.0.1:{port}" in line
        assert DEFAULT_API_KEY in line
        assert answer[0] == 401
        assert status == 0
        assert (tmp_path / "books.db").exists()

    def test_says_when_its_port_is_taken(self, stripe_url: str) -> None:
        port = stripe_url.rpartition(":")[2]

        with running("simulator", "--port", port) as simulator:
            status, _, said = simulator.end()

        assert status == 1
        assert said == (
            f"Error: Port {port} for the simulated Stripe is taken: stop what listens there, "
            "or choose another with --port.\n"
        )


def test_migrations_are_found_by_an_installed_package() -> None:
    assert (migrations.HERE / "versions").is_dir()
