"""`gangway demo`: everything in one process."""

import json
import re
import signal
import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, ProxyHandler, build_opener

import pytest
import stripe

from tests.support.browser import Page
from tests.support.portal import DETAILS
from tests.support.processes import PATIENCE, Running, fetch, free_port, running, wait_until


class Ports:
    """The two ports of one demo, the same from start to start."""

    def __init__(self, folder: Path) -> None:
        self.portal, self.stripe = free_port(), free_port()
        self.arguments = (
            "--port",
            str(self.portal),
            "--stripe-port",
            str(self.stripe),
            "--data",
            str(folder),
        )


@pytest.fixture
def ports(tmp_path: Path) -> Ports:
    return Ports(tmp_path / "demo")


@contextmanager
def demo(ports: Ports, *more: str) -> Iterator[tuple[Running, dict[str, Any]]]:
    """A running demo and the facts that it prints."""
    with running("demo", "--json", *ports.arguments, *more) as command:
        yield command, json.loads(command.line())


def sign_up(portal: str) -> str:
    """Sign up over HTTP and give the address of Stripe's page."""
    jar = CookieJar()
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(jar))
    page = Page(opener.open(f"{portal}/signup", timeout=PATIENCE).read().decode())
    hidden = {name: page.value(name) for name in ("csrf_token", "nonce")}
    body = urlencode(hidden | DETAILS, doseq=True).encode()
    with opener.open(f"{portal}/signup", body, timeout=PATIENCE) as answer:
        return str(answer.url)


def customers(folder: Path) -> list[Any]:
    with sqlite3.connect(folder / "demo" / "gangway.db") as connection:
        found = connection.execute("SELECT id, name FROM customer").fetchall()
    connection.close()
    return found


def test_prints_where_everything_is(ports: Ports) -> None:
    with demo(ports) as (command, facts):
        ready = fetch(f"{facts['portal']}/readyz")
        status = command.tell(signal.SIGTERM)

    assert set(facts) >= {"portal", "stripe_api_base", "stripe_api_key", "app_id", "webhook_secret", "token"}
    assert [who["role"] for who in facts["operators"]] == ["viewer", "operator", "admin"]
    assert facts["portal"] == f"http://127.0.0.1:{ports.portal}"
    assert facts["stripe_api_base"] == f"http://127.0.0.1:{ports.stripe}"
    assert facts["webhook_secret"].startswith("whsec_")
    assert len(facts["app_id"]) == 26
    assert ready[0] == 200
    assert status == 0


def test_prints_prose_without_json(ports: Ports) -> None:
    with running("demo", *ports.arguments) as command:
        lines = [command.line() for _ in range(3)]
        status = command.tell(signal.SIGINT)

    assert "Gangway is running" in lines[0]
    assert f"http://127.0.0.1:{ports.portal}/signup" in lines[2]
    assert status == 0


def test_leads_from_the_form_to_the_simulated_page(ports: Ports) -> None:
    with demo(ports) as (_, facts):
        url = sign_up(facts["portal"])

    assert url.startswith(f"{facts['stripe_api_base']}/c/pay/cs_test_")


def test_lets_the_official_sdk_in(ports: Ports) -> None:
    with demo(ports) as (_, facts):
        client = stripe.StripeClient(
            facts["stripe_api_key"], base_addresses={"api": facts["stripe_api_base"]}
        )
        [endpoint] = client.v1.webhook_endpoints.list().data
        client.v1.accounts.retrieve_current()

    assert endpoint.url == f"{facts['portal']}/api/v1/apps/{facts['app_id']}/stripe/webhook"


def test_goes_on_where_it_was_killed(ports: Ports, tmp_path: Path) -> None:
    with demo(ports) as (command, facts):
        sign_up(facts["portal"])
        before = customers(tmp_path)
        command.tell(signal.SIGKILL)

    with demo(ports) as (command, again):
        wait_until(lambda: fetch(f"{again['portal']}/readyz")[0] == 200)
        after = customers(tmp_path)
        command.tell(signal.SIGTERM)

    assert again == facts
    assert before == after
    assert [name for _, name in after] == [DETAILS["name"]]


def test_begins_anew_when_asked_to(ports: Ports, tmp_path: Path) -> None:
    with demo(ports) as (command, facts):
        sign_up(facts["portal"])
        command.tell(signal.SIGTERM)

    with demo(ports, "--fresh") as (command, again):
        left = customers(tmp_path)
        command.tell(signal.SIGTERM)

    assert again["app_id"] != facts["app_id"]
    assert left == []


def test_keeps_its_keys_to_itself(ports: Ports, tmp_path: Path) -> None:
    with demo(ports):
        mode = stat.S_IMODE((tmp_path / "demo" / "keys.json").stat().st_mode)

    assert mode == 0o600


@pytest.mark.parametrize(("what", "option"), [("portal", "--port"), ("simulated Stripe", "--stripe-port")])
def test_says_which_port_is_taken(ports: Ports, what: str, option: str) -> None:
    taken = ports.portal if option == "--port" else ports.stripe
    with socket.create_server(("127.0.0.1", taken)), running("demo", *ports.arguments) as command:
        status, _, said = command.end()

    assert status == 1
    assert said == (
        f"Error: Port {taken} for the {what} is taken: stop what listens there, "
        f"or choose another with {option}.\n"
    )


def test_refuses_a_folder_whose_links_lead_elsewhere(ports: Ports) -> None:
    with demo(ports):
        pass
    ports.arguments = ("--port", str(free_port()), *ports.arguments[2:])

    with running("demo", *ports.arguments) as command:
        status, _, said = command.end()

    assert status == 1
    assert "use those ports, another --data, or --fresh" in said


def test_says_when_its_folder_can_not_be_used(ports: Ports) -> None:
    with running("demo", *ports.arguments[:-1], "/proc/nothing/here") as command:
        status, _, said = command.end()

    assert status == 1
    assert said.startswith("Error: The demo can't keep its files in /proc/nothing/here")


def ask(portal: str, token: str) -> int:
    """Call the API; gives the status."""
    opener = build_opener(ProxyHandler({}))
    opener.addheaders = [("Authorization", f"Bearer {token}")]
    try:
        with opener.open(f"{portal}/api/v1/customers", timeout=PATIENCE) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


def test_prints_a_token_that_the_next_demo_prints_too(ports: Ports, tmp_path: Path) -> None:
    with demo(ports) as (command, facts):
        first = ask(facts["portal"], facts["token"])
        command.tell(signal.SIGTERM)

    with demo(ports) as (_, again):
        second = ask(again["portal"], again["token"])
        kept = [path.name for path in tmp_path.rglob("*") if path.is_file() and holds(path, facts["token"])]

    assert (first, second) == (200, 200)
    assert again["token"] == facts["token"]
    assert kept == ["keys.json"]


def holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


def test_prints_another_token_when_the_first_was_revoked(ports: Ports, tmp_path: Path) -> None:
    with demo(ports) as (command, facts):
        command.tell(signal.SIGTERM)
    with sqlite3.connect(tmp_path / "demo" / "gangway.db") as connection:
        connection.execute("UPDATE api_token SET revoked_at = created_at")
    connection.close()

    with demo(ports) as (_, again):
        statuses = [ask(again["portal"], token) for token in (facts["token"], again["token"])]

    assert statuses == [401, 200]


def test_shows_the_token_and_the_docs_in_prose(ports: Ports) -> None:
    with running("demo", *ports.arguments) as command:
        lines = [command.line() for _ in range(6)]

    assert f"http://127.0.0.1:{ports.portal}/api/docs" in "".join(lines)
    assert "gangway_" in "".join(lines)


def log_in(portal: str, who: dict[str, str]) -> tuple[int, str]:
    """The status of the team page for an operator who logs in, and where that leads."""
    opener = build_opener(ProxyHandler({}), HTTPCookieProcessor(CookieJar()))
    with opener.open(f"{portal}/operator/login", timeout=PATIENCE) as answer:
        page = Page(answer.read().decode())
    fields = {"csrf_token": page.value("csrf_token"), "email": who["email"], "password": who["password"]}
    with opener.open(f"{portal}/operator/login", urlencode(fields).encode(), timeout=PATIENCE) as answer:
        arrived = str(answer.url)
    try:
        with opener.open(f"{portal}/operator/team", timeout=PATIENCE) as answer:
            return int(answer.status), arrived
    except HTTPError as error:
        with error:
            return error.code, arrived


def test_has_an_operator_of_each_role_whose_password_is_kept(ports: Ports, tmp_path: Path) -> None:
    with demo(ports) as (command, facts):
        first = [log_in(facts["portal"], who) for who in facts["operators"]]
        command.tell(signal.SIGTERM)
    with sqlite3.connect(tmp_path / "demo" / "gangway.db") as connection:
        connection.execute("UPDATE operator SET password_hash = NULL WHERE role = 'operator'")
    connection.close()

    with demo(ports) as (_, again):
        second = [log_in(again["portal"], who) for who in again["operators"]]

    desk = f"{facts['portal']}/operator/"
    assert first == second == [(403, desk), (403, desk), (200, desk)]
    assert again["operators"] == facts["operators"]


def test_shows_the_operators_in_prose(ports: Ports) -> None:
    with running("demo", *ports.arguments) as command:
        lines = "".join(command.line() for _ in range(10))

    assert f"http://127.0.0.1:{ports.portal}/operator/" in lines
    for role in ("viewer", "operator", "admin"):
        assert re.search(rf"{role} +{role}@example.com +\S{{16}}\n", lines)


def test_ignores_settings_of_the_real_portal(ports: Ports) -> None:
    elsewhere = {
        "GANGWAY_PUBLIC_URL": "https://pay.example.com",
        "GANGWAY_DATABASE_URL": "sqlite:////nowhere/x.db",
    }

    with running("demo", "--json", *ports.arguments, **elsewhere) as command:
        facts = json.loads(command.line())

    assert facts["portal"] == f"http://127.0.0.1:{ports.portal}"
