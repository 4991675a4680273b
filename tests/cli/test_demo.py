"""`gangway demo` runs everything in one process, and continues an earlier demo."""

import json
import os
import re
import signal
import socket
import sqlite3
import stat
from contextlib import AbstractContextManager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import pytest
import stripe

from app.cli import demo
from tests.support.browser import Page
from tests.support.commands import run_command
from tests.support.portal import DETAILS
from tests.support.processes import PATIENCE, PROCESS_MARKS, fetch, free_port, gangway

Facts = dict[str, Any]


class Place:
    """The folder and the two ports of one demo, the same from start to start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.portal, self.stripe = folder, free_port(), free_port()

    def launch(self, **options: Any) -> AbstractContextManager[Facts]:
        """Run the demo in this process. The value is what the command prints."""
        return demo.launch(port=self.portal, stripe_port=self.stripe, folder=self.folder, **options)

    def arguments(self) -> tuple[str, ...]:
        """Return the options that lead a command here."""
        ports = ("--port", str(self.portal), "--stripe-port", str(self.stripe))
        return (*ports, "--data", str(self.folder))

    def query(self, statement: str) -> list[Any]:
        """Run a statement in the demo's database."""
        with sqlite3.connect(self.folder / "gangway.db") as connection:
            found = connection.execute(statement).fetchall()
        connection.close()
        return found

    def customers(self) -> list[Any]:
        """Return the customers in the demo's database."""
        return self.query("SELECT id, name FROM customer")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "demo")


class Visitor:
    """A browser that keeps its cookies."""

    def __init__(self, portal: str) -> None:
        self._portal = portal
        self._opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))

    def open(self, path: str, fields: dict[str, Any] | None = None) -> tuple[int, str, str]:
        """Ask for a page or post a form. Return the status, the URL that this led to, and the body."""
        body = None if fields is None else urlencode(fields, doseq=True).encode()
        try:
            with self._opener.open(f"{self._portal}{path}", body, timeout=PATIENCE) as answer:
                return answer.status, str(answer.url), answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, str(error.url), error.read().decode()

    def sign_up(self) -> str:
        """Sign up. Return the URL of Stripe's page."""
        page = Page(self.open("/signup")[2])
        hidden = {name: page.value(name) for name in ("csrf_token", "nonce")}
        return self.open("/signup", hidden | DETAILS)[1]

    def log_in(self, who: dict[str, str]) -> tuple[str, int]:
        """Log in. Return the URL that this leads to, and the status of the team page."""
        page = Page(self.open("/operator/login")[2])
        fields = {name: who[name] for name in ("email", "password")}
        _, arrived, _ = self.open("/operator/login", fields | {"csrf_token": page.value("csrf_token")})
        return arrived, self.open("/operator/team")[0]


def call_api(portal: str, token: str) -> int:
    """Call the API. Return the status."""
    opener = build_opener(ProxyHandler({}))
    opener.addheaders = [("Authorization", f"Bearer {token}")]
    try:
        with opener.open(f"{portal}/api/v1/customers", timeout=PATIENCE) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_says_where_everything_is(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANGWAY_PUBLIC_URL", "https://pay.example.com")  # the real portal's, which is ignored
    monkeypatch.setenv("GANGWAY_DATABASE_URL", "sqlite:////nowhere/x.db")

    with place.launch() as facts:
        ready = fetch(f"{facts['portal']}/readyz")
        stripe_page = Visitor(facts["portal"]).sign_up()
        client = stripe.StripeClient(
            facts["stripe_api_key"], base_addresses={"api": facts["stripe_api_base"]}
        )
        [endpoint] = client.v1.webhook_endpoints.list().data

    assert facts["portal"] == f"http://127.0.0.1:{place.portal}"
    assert facts["stripe_api_base"] == f"http://127.0.0.1:{place.stripe}"
    assert facts["webhook_secret"].startswith("whsec_")
    assert ready[0] == 200
    assert stripe_page.startswith(f"{facts['stripe_api_base']}/c/pay/cs_test_")
    assert endpoint.url == f"{facts['portal']}/api/v1/apps/{facts['app_id']}/stripe/webhook"


def test_has_an_operator_of_each_role_and_a_token(place: Place) -> None:
    with place.launch() as facts:
        console = [Visitor(facts["portal"]).log_in(who) for who in facts["operators"]]
        status = call_api(facts["portal"], facts["token"])

    home = f"{facts['portal']}/operator/"
    assert [who["role"] for who in facts["operators"]] == ["viewer", "operator", "admin"]
    assert console == [(home, 403), (home, 403), (home, 200)]
    assert status == 200


def test_keeps_its_keys_to_itself(place: Place) -> None:
    with place.launch() as facts:
        pass

    files = [path for path in place.folder.iterdir() if facts["token"].encode() in path.read_bytes()]
    assert [path.name for path in files] == ["keys.json"]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_mends_a_token_and_a_password_that_no_longer_work(place: Place) -> None:
    with place.launch() as facts:
        pass
    place.query("UPDATE api_token SET revoked_at = created_at")
    place.query("UPDATE operator SET password_hash = NULL WHERE role = 'operator'")

    with place.launch() as again:
        statuses = [call_api(again["portal"], token) for token in (facts["token"], again["token"])]
        arrived, _ = Visitor(again["portal"]).log_in(again["operators"][1])

    assert statuses == [401, 200]
    assert again["operators"] == facts["operators"]
    assert arrived == f"{again['portal']}/operator/"


def test_forgets_what_it_stored_when_asked_to(place: Place) -> None:
    with place.launch() as facts:
        Visitor(facts["portal"]).sign_up()

    with place.launch(fresh=True) as again:
        left = place.customers()

    assert again["app_id"] != facts["app_id"]
    assert left == []


class TestRefusals:
    """The command says what to change."""

    @pytest.mark.parametrize(
        ("what", "option"), [("portal", "--port"), ("simulated Stripe", "--stripe-port")]
    )
    def test_says_which_port_is_taken(self, place: Place, what: str, option: str) -> None:
        taken = place.portal if option == "--port" else place.stripe

        with socket.create_server(("127.0.0.1", taken)):
            answer = run_command("demo", *place.arguments())

        assert answer.exit_code == 1
        assert answer.output == (
            f"Error: Port {taken} for the {what} is taken: stop what listens there, "
            f"or choose another with {option}.\n"
        )

    def test_refuses_a_folder_whose_links_lead_elsewhere(self, place: Place) -> None:
        with socket.create_server(("127.0.0.1", place.stripe)):
            run_command("demo", *place.arguments())
        place.portal = free_port()

        answer = run_command("demo", *place.arguments())

        assert answer.exit_code == 1
        assert "use those ports, another --data, or --fresh" in answer.output

    def test_says_when_its_folder_can_not_be_used(self, place: Place) -> None:
        place.folder = Path("/proc/nothing/here")

        answer = run_command("demo", *place.arguments())

        assert answer.exit_code == 1
        assert answer.output.startswith("Error: The demo can't keep its files in /proc/nothing/here")


class TestProgram:
    """In another process."""

    pytestmark = PROCESS_MARKS

    def test_continues_where_it_was_killed(self, place: Place) -> None:
        with gangway("demo", "--json", *place.arguments()) as program:
            facts = json.loads(program.line())
            Visitor(facts["portal"]).sign_up()
            before = place.customers()
            program.tell(signal.SIGKILL)

        with gangway("demo", "--json", *place.arguments()) as program:
            again = json.loads(program.line())
            after = place.customers()
            call = call_api(again["portal"], again["token"])
            status = program.tell(signal.SIGTERM)

        assert again == facts
        assert before == after
        assert [name for _, name in after] == [DETAILS["name"]]
        assert (call, status) == (200, 0)

    def test_restarts_when_a_file_changes_and_keeps_its_data(self, place: Place, tmp_path: Path) -> None:
        module = tmp_path / "code" / "watched.py"
        module.parent.mkdir()
        module.write_text("")
        watching = ("demo", "--json", "--reload", "--fresh", *place.arguments())
        with gangway(*watching, PYTHONPATH=str(module.parent)) as program:
            facts = json.loads(program.line())
            Visitor(facts["portal"]).sign_up()
            before = place.customers()
            later = module.stat().st_mtime + 1
            os.utime(module, (later, later))

            again = json.loads(program.line())
            call = call_api(again["portal"], again["token"])
            after = place.customers()
            status = program.tell(signal.SIGTERM)

        assert again == facts
        assert before == after
        assert [name for _, name in after] == [DETAILS["name"]]
        assert (call, status) == (200, 0)

    def test_prints_prose_and_stops_on_ctrl_c(self, place: Place) -> None:
        with gangway("demo", *place.arguments()) as program:
            program.line()
            status = program.tell(signal.SIGINT)
            _, printed, _ = program.end()

        assert "Gangway is running" in printed
        for path in ("/signup", "/api/docs", "/operator/"):
            assert f"http://127.0.0.1:{place.portal}{path}\n" in printed
        assert re.search(r"Token for it +gangway_\S+\n", printed)
        for role in ("viewer", "operator", "admin"):
            assert re.search(rf"{role} +{role}@example.com +\S{{16}}\n", printed)
        assert status == 0


def test_is_reached_by_commands_that_name_its_folder(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "GANGWAY_DATABASE_URL", "sqlite:////nowhere/x.db"
    )  # the real portal's, which is ignored
    with place.launch() as facts:
        listed = run_command("token", "list", "--data", str(place.folder))
        made = run_command("--data", str(place.folder), "token", "create", "reports")
        token = re.search(r"gangway_\S+", made.output)  # the demo's threads may log beside it
        assert token is not None, made.output
        status = call_api(facts["portal"], token.group())

    assert "demo" in listed.output
    assert status == 200, made.output


def test_keeps_its_files_from_others(place: Place) -> None:
    before = os.umask(0)
    try:
        with place.launch():
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in place.folder.iterdir()}
    finally:
        os.umask(before)

    assert stat.S_IMODE(place.folder.stat().st_mode) == 0o700
    assert set(modes.values()) == {0o600}, modes
