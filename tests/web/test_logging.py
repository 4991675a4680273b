"""The log has one line for each request, with ids to follow, and never a secret or a token."""

import io
import logging as standard_logging
import os
import signal
import sys

import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient

from app.web import logging
from tests.conftest import make_settings
from tests.support.logs import lines_of
from tests.support.people import Person
from tests.support.portal import DETAILS, sign_up
from tests.support.stripe_postbox import Postbox, event
from tests.support.world import World

KEYS = ("sk_test_51Abcdef", "rk_live_51Abcdef", "whsec_abcDEF123")


def raising(error: Exception) -> str:
    raise error


Capture = pytest.CaptureFixture[str]


def test_has_a_line_for_each_request_with_its_number(client: FlaskClient, capsys: Capture) -> None:
    logging.configure(make_settings(log_level="DEBUG"))
    answer = client.get("/signup?email=ada@example.com")

    [line] = [line for line in lines_of(capsys.readouterr().err) if line["event"] == "request"]
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/signup", 200)
    assert line["ms"] >= 0
    assert "ada@example.com" not in str(line)


def test_is_silent_about_files_and_probes(client: FlaskClient, capsys: Capture) -> None:
    logging.configure(make_settings(log_level="DEBUG"))
    client.get("/healthz")
    client.get("/static/portal.css").close()

    assert [line for line in lines_of(capsys.readouterr().err) if line["event"] == "request"] == []


def test_holds_nothing_that_a_visitor_typed(client: FlaskClient, capsys: Capture) -> None:
    logging.configure(make_settings(log_level="DEBUG"))
    sign_up(client)

    text = capsys.readouterr().err
    assert lines_of(text)
    assert DETAILS["email"] not in text
    assert DETAILS["name"] not in text


@pytest.mark.own_app
@pytest.mark.parametrize("key", KEYS)
def test_blots_out_keys_even_in_tracebacks(app: Flask, capsys: Capture, key: str) -> None:
    logging.configure(make_settings(log_level="DEBUG"))
    app.add_url_rule("/boom", "boom", lambda: raising(RuntimeError(f"failed with {key}")))

    answer = app.test_client().get("/boom")

    text = capsys.readouterr().err
    [line] = [line for line in lines_of(text) if line["event"] == "unhandled"]
    assert "RuntimeError" in line["exception"]
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert key not in text
    assert f"{key[: key.rindex('_')]}_***" in line["exception"]


@pytest.mark.parametrize("key", KEYS)
def test_blots_out_keys_in_what_libraries_say(capsys: Capture, key: str) -> None:
    logging.configure(make_settings(log_level="DEBUG"))
    standard_logging.getLogger("library").warning("used %s for %s", key, 1)

    text = capsys.readouterr().err
    assert "_*** for 1" in text
    assert key not in text


def test_hears_no_chatter_of_the_stripe_sdk(client: FlaskClient, capsys: Capture) -> None:
    logging.configure(make_settings(log_level="DEBUG"))
    sign_up(client)

    assert [line for line in lines_of(capsys.readouterr().err) if line["logger"].startswith("stripe")] == []


def test_is_prose_when_asked(capsys: Capture, client: FlaskClient) -> None:
    logging.configure(make_settings(log_format="console", log_level="INFO"))

    client.get("/signup")

    text = capsys.readouterr().err
    assert "request" in text
    assert "path=/signup" in text
    assert lines_of(text) == []


def test_is_silent_below_its_level(capsys: Capture, client: FlaskClient) -> None:
    logging.configure(make_settings(log_level="ERROR"))

    client.get("/signup")

    assert capsys.readouterr().err == ""


def test_fails_no_request_when_it_cannot_be_written(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.configure(make_settings(log_level="INFO"))
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)

    assert client.get("/signup").status_code == 200


def test_names_the_event_and_the_app_of_a_delivery(postbox: Postbox, capsys: Capture) -> None:
    logging.configure(make_settings(log_level="INFO"))

    postbox.post(event(id="evt_of_the_log"))

    [line] = [line for line in lines_of(capsys.readouterr().err) if line["event"] == "request"]
    assert line["event_id"] == "evt_of_the_log"
    assert line["path"] == f"/api/v1/apps/{line['app_id']}/stripe/webhook"


def test_names_the_customer_whose_page_is_opened(world: World, capsys: Capture) -> None:
    logging.configure(make_settings(log_level="INFO"))

    person = world.person()

    lines = lines_of(capsys.readouterr().err)
    sent = [line for line in lines if (line.get("method"), line.get("path")) == ("POST", "/signup")]
    assert [line["customer_id"] for line in sent] == [person.payer.customer_id]


def test_names_customer_and_events_of_a_comparison_with_stripe(
    world: World, person: Person, capsys: Capture
) -> None:
    person.save_card()
    world.simulator.deliver_due()
    logging.configure(make_settings(log_level="INFO"))

    world.work()

    [line] = [line for line in lines_of(capsys.readouterr().err) if line["event"] == "converged"]
    assert line["customer_id"] == person.payer.customer_id
    assert line["cause"] == "event"
    assert line["events"]
    assert all(name.startswith("evt_") for name in line["events"])


class Odd:
    """Something that can't be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("sk_test_51Abcdef")


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_says_that_a_line_could_not_be_rendered(capsys: Capture, log_format: str) -> None:
    logging.configure(make_settings(log_level="INFO", log_format=log_format))

    structlog.get_logger("gangway.test").info("odd", value=Odd())

    [line] = capsys.readouterr().err.splitlines()
    assert "line_not_rendered" in line
    assert "odd" in line
    assert "gangway.test" in line
    assert "sk_test" not in line


@pytest.mark.parametrize("name", ["library", "gunicorn.error"])
def test_says_that_a_line_of_a_library_could_not_be_rendered(capsys: Capture, name: str) -> None:
    logging.configure(make_settings(log_level="INFO"))

    standard_logging.getLogger(name).warning("used %d", "sk_test_51Abcdef")

    [line] = lines_of(capsys.readouterr().err)
    assert line["event"].startswith("line_not_rendered")
    assert line["logger"] == name
    assert "sk_test" not in str(line)


def test_has_whole_lines_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            held.append(logging.OUTPUT.lock.locked())
            return super().write(text)

    held: list[bool] = []
    logging.configure(make_settings(log_level="INFO"))
    monkeypatch.setattr(sys, "stderr", Watched())

    standard_logging.getLogger("library").warning("one")
    structlog.get_logger("gangway.test").info("two")

    assert held == [True, True]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_continues_in_a_process_that_was_forked_while_a_line_was_written() -> None:
    logging.configure(make_settings(log_level="INFO"))
    with logging.OUTPUT.lock:
        child = os.fork()
        if child == 0:  # pragma: no cover (another process)
            signal.alarm(10)  # else it would wait forever
            structlog.get_logger("gangway.test").info("from the child")
            os._exit(0)

    assert os.waitpid(child, 0)[1] == 0
