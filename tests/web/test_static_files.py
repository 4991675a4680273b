"""Static files have an address for each content, which browsers keep for a year, and come compressed."""

import gzip
import re
from pathlib import Path

import brotli
import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from app.web.static_files import StaticFiles

CSS = Path("static/portal.css").read_bytes()
YEAR = "public, max-age=31536000, immutable"


def address(client: FlaskClient, name: str = "portal.css") -> str:
    """Return the address of a file on the sign-up page."""
    found = re.search(rf'"(/static/{name}[^"]*)"', client.get("/signup").get_data(as_text=True))
    assert found is not None
    return found[1]


def test_browsers_keep_a_file_for_a_year_under_its_fingerprint(client: FlaskClient) -> None:
    path = address(client)

    answer = client.get(path)

    assert re.fullmatch(r"/static/portal\.css\?v=[0-9a-f]{16}", path)
    assert answer.data == CSS
    assert answer.headers["Cache-Control"] == YEAR


@pytest.mark.parametrize("query", ["", "?v=", "?v=0000000000000000", "?v=%00"])
def test_browsers_ask_again_about_any_other_address(client: FlaskClient, query: str) -> None:
    first = client.get(f"/static/portal.css{query}")
    assert "immutable" not in first.headers["Cache-Control"]
    if first.status_code != 200:  # the query can't be stored
        return

    second = client.get(f"/static/portal.css{query}", headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "public, no-cache"
    assert second.status_code == 304
    assert second.data == b""


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("br, gzip", "br"), ("gzip, deflate", "gzip"), ("gzip;q=0", None), ("identity", None), ("", None)],
)
def test_compresses_text_for_clients_that_ask_for_it(
    client: FlaskClient, accepted: str, encoding: str | None
) -> None:
    answer = client.get(address(client), headers={"Accept-Encoding": accepted})

    unpack = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}[encoding]
    assert answer.headers.get("Content-Encoding") == encoding
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert unpack(answer.data) == CSS
    assert encoding is None or len(answer.data) < len(CSS) / 3


@pytest.mark.parametrize(
    "path", [r"/static/portal\.css", "/brand/[^/]+/style.css", "/brand/[^/]+/icon", "/api/docs"]
)
def test_an_answer_that_caches_keep_carries_no_cookie(client: FlaskClient, path: str) -> None:
    page = client.get("/signup").get_data(as_text=True) + '"/api/docs"'
    found = re.search(rf'"({path}[^"]*)"', page)
    assert found is not None
    assert client.get_cookie("gangway") is not None

    answer = client.get(found[1])

    assert answer.status_code == 200
    assert "max-age" in answer.headers["Cache-Control"]
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.vary


def test_each_encoding_has_its_own_tag(client: FlaskClient) -> None:
    path = address(client)

    tags = {
        client.get(path, headers={"Accept-Encoding": accepted}).headers["ETag"]
        for accepted in ("br", "gzip", "identity")
    }

    assert len(tags) == 3


def test_a_page_with_secrets_is_not_compressed(client: FlaskClient) -> None:
    answer = client.get("/signup", headers={"Accept-Encoding": "br, gzip"})

    assert "csrf_token" in answer.get_data(as_text=True)
    assert "Content-Encoding" not in answer.headers


def test_the_console_uses_fingerprints_too(client: FlaskClient) -> None:
    assert "/static/operator.css?v=" in client.get("/operator/login").get_data(as_text=True)


@pytest.mark.parametrize(
    "name", ["../pyproject.toml", "nothing.css", "x" * 5000, "", "a/../../app/__init__.py"]
)
def test_there_is_nothing_outside_the_folder(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_a_name_without_a_file_has_no_fingerprint(app: Flask) -> None:
    with app.test_request_context("/"):
        assert url_for("static", filename="nothing.css") == "/static/nothing.css"


def test_a_file_that_changes_gets_another_fingerprint(tmp_path: Path) -> None:
    file = tmp_path / "logo.png"
    file.write_bytes(b"one")
    files = StaticFiles(str(tmp_path))
    before = files.find("logo.png")
    assert files.find("logo.png") is before

    file.write_bytes(b"another")
    after = files.find("logo.png")

    assert before is not None
    assert after is not None
    assert before.fingerprint != after.fingerprint


@pytest.mark.own_app
def test_pictures_are_not_compressed_again(app: Flask, tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"\x89PNG" * 100)
    (tmp_path / "data.unknowntype").write_bytes(b"1")
    app.view_functions["static"] = StaticFiles(str(tmp_path)).serve

    answer = app.test_client().get("/static/logo.png", headers={"Accept-Encoding": "br, gzip"})
    other = app.test_client().get("/static/data.unknowntype")

    assert answer.mimetype == "image/png"
    assert answer.data == b"\x89PNG" * 100
    assert {"Content-Encoding", "Vary"} & set(answer.headers.keys()) == set()
    assert other.mimetype == "application/octet-stream"


@pytest.mark.parametrize("name", ["none.css", "a%00b.css", "x" * 300, "../app/__init__.py", "..%2fREADME.md"])
def test_answers_that_there_is_no_such_file(client: FlaskClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code in {400, 404}


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "icons").mkdir()

    assert StaticFiles(str(tmp_path)).find("icons") is None
