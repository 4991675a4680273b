"""The document about hand-overs has code that works as it stands there."""

import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from app.cli.demo import Quiet
from app.core.db import new_id
from app.portal import AfterSaving, Profile
from app.simulator import Simulator
from tests.support.browser import Page
from tests.support.handovers import RETURN_URL, HandoverPage, make_secret, sign
from tests.support.portal import session_of
from tests.support.profiles import publish_profiles
from tests.support.return_page import look
from tests.support.tokens import bearer

DOCUMENT = Path(__file__).resolve().parents[3] / ".docs" / "hand-over.md"
PORTAL = "http://127.0.0.1:8000"
PROGRAMS = {"python": sys.executable, "js": "node", "sh": "sh"}
NEEDS = {"python": (), "js": ("node",), "sh": ("openssl", "curl")}

pytestmark = pytest.mark.process


def snippet(language: str, word: str) -> str:
    """The only piece of code in a language that has a word in it."""
    found = re.findall(rf"^```{language}\n(.*?)^```$", DOCUMENT.read_text(), re.M | re.S)
    [code] = [code for code in found if word in code]
    return str(code)


def run(folder: Path, language: str, word: str, *arguments: str, **environment: str) -> str:
    """What a piece of code prints."""
    for program in NEEDS[language]:
        if shutil.which(program) is None:
            pytest.skip(f"no {program}")
    file = folder / f"snippet.{language}"
    file.write_text(snippet(language, word))
    command = [PROGRAMS[language], str(file), *arguments]
    environment |= {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def secret(app: Flask) -> str:
    """A secret that the company's app has."""
    return make_secret(app)


@pytest.mark.parametrize("language", ["python", "js", "sh"])
def test_signs_a_hand_over(client: FlaskClient, secret: str, tmp_path: Path, language: str) -> None:
    url = run(tmp_path, language, "/signup?handover=", GANGWAY_URL=PORTAL, GANGWAY_HANDOVER_SECRET=secret)

    page = Page.of(client.get(url.removeprefix(PORTAL)))
    assert (page.value("name"), page.value("email")) == ("Ada Lovelace", "ada@example.com")


@pytest.fixture
def served(app: Flask) -> Iterator[str]:
    """The portal at a separate address."""
    web = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
    serving = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    yield f"http://127.0.0.1:{web.server_port}"
    web.shutdown()
    serving.join()
    web.server_close()


def test_asks_the_api_for_one(app: Flask, client: FlaskClient, served: str, tmp_path: Path) -> None:
    token = bearer(app, "write")["Authorization"].removeprefix("Bearer ")

    made = json.loads(run(tmp_path, "sh", "onboarding/handovers", GANGWAY_URL=served, GANGWAY_TOKEN=token))

    parts = urlsplit(made["url"])
    page = Page.of(client.get(f"{parts.path}?{parts.query}"))
    assert page.value("name") == "Ada Lovelace"
    assert "readonly" in page.field("email").attributes


@pytest.mark.parametrize("language", ["python", "js"])
def test_checks_a_signed_way_back(
    app: Flask, client: FlaskClient, secret: str, simulator: Simulator, tmp_path: Path, language: str
) -> None:
    publish_profiles(app, Profile(after=AfterSaving(is_signed=True)))
    simulator.save_card(session_of(HandoverPage(client, sign(secret, returnURL=RETURN_URL)).submit()))
    [url] = [link["href"] for link in look(client).all("a") if link.get("href").startswith(RETURN_URL)]

    of_another = re.sub("customer_id=[^&]+", f"customer_id={new_id()}", url)
    forged = (url.replace("saved", "expiring"), url.replace("customer-42", "customer-43"), of_another)

    good, *bad = (
        run(tmp_path, language, "gangway-return", each, GANGWAY_HANDOVER_SECRET=secret)
        for each in (url, *forged, RETURN_URL)
    )

    assert "saved" in good
    assert "customer-42" in good
    assert {answer.lower() for answer in bad} <= {"none", "null"}
