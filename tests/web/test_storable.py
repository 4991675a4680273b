"""Whatever a database can't store is refused on every route, and so is the place of a page that can't be."""

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import EnvironBuilder

from app.core.db import new_id
from tests.support.api import Api, sent
from tests.support.browser import Page
from tests.support.cases import for_each
from tests.support.console import sign_in

QUERIES = (
    "page", "before", "after", "customer", "q", "find", "next", "token", "n", "span", "from", "to", "size",
    "columns", "actor", "type", "kind", "app", "state", "status", "sort", "show", "new", "endpoint",
    "language", "v", "_external", "_scheme", "_method", "_anchor", "values", "self",
)  # fmt: skip
ODD = (
    "0", "-1", "%'", "~", "1.5", "9" * 30, "9" * 5000, "0001-01-01",
    "0001-01-01T00:00:00+14:00~evt_1", "9999-12-31T23:59:59-14:00~evt_1", "1969-12-31T23:59:59Z~evt_1",
    "2026-01-01T00:00:00~evt_1", "2026-01-01T00:00:00Z~", "\u0663",
    "\U0010ffff\u202e", "NaN", "0" * 26, "8" * 26,
)  # fmt: skip
LISTS = (
    "/operator/", "/operator/customers", "/operator/events", "/operator/audit", "/operator/login",
    "/operator/portal", "/operator/portal/profiles/default/texts",
    "/operator/portal/profiles/default/preview/signup", "/brand/default/style.css",
    "/return", "/cancelled", "/signup", "/operator/invitation", "/operator/login/code",
)  # fmt: skip
UNSTORABLE = ("\x00", "a\x00b")


def paths(app: Flask, method: str) -> Iterator[tuple[str, str]]:
    """Every route of a method, with ids that nobody has."""
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if method in (rule.methods or ()) and not rule.rule.startswith("/static"):
                places = {name: 1 if name == "number" else new_id() for name in rule.arguments}
                built = rule.build(places, append_unknown=False)
                assert built is not None
                yield rule.rule, built[1]


@pytest.fixture
def console(app: Flask) -> FlaskClient:
    """The browser of an admin."""
    return sign_in(app, "admin")


@for_each("value", ODD)
def test_no_query_is_a_fault_of_ours(app: Flask, console: FlaskClient, value: str) -> None:
    # A wrong page ends a request before its other words are read.
    words = [name for name in QUERIES if name not in {"page", "before", "after"}]
    for path in LISTS:
        answer = console.get(path, query_string=dict.fromkeys(words, value))

        assert answer.status_code < 500, (path, value)
    for path in ("/operator/customers", "/operator/events", "/operator/audit"):
        for name in ("page", "before", "after"):
            answer = console.get(path, query_string={name: value})

            assert answer.status_code < 500, (path, name, value)


@for_each("text", UNSTORABLE)
def test_no_route_takes_what_is_unstorable(app: Flask, console: FlaskClient, text: str) -> None:
    for rule, path in paths(app, "GET"):
        if not rule.startswith("/api/"):
            assert console.get(path, query_string={"x": text}).status_code == 400
            assert console.get(path, query_string={text: "x"}).status_code == 400
            assert console.get(f"{path}{text}").status_code == 404
    for rule, path in paths(app, "POST"):
        if not rule.startswith("/api/"):
            answers = [
                console.post(path, data={"x": text}),
                console.post(path, data={text: "x"}),
                console.post(path, data={"x": text}, content_type="multipart/form-data"),
                console.post(path, query_string={"x": text}),
            ]
            assert [answer.status_code for answer in answers] == [400] * 4, path


@for_each("query", ["x=\xff", "\xff=1", "customer=\xc3", "x=\xc3\xa4"])
def test_bare_bytes_in_a_query_are_no_fault_of_ours(app: Flask, query: str) -> None:
    for path in ("/signup", "/return", "/operator/login", "/start/x", "/healthz"):
        environ = EnvironBuilder(path=path).get_environ() | {"QUERY_STRING": query}

        assert sent(app, environ).status_code < 500, path


@for_each("text", UNSTORABLE)
def test_no_operation_takes_what_is_unstorable(app: Flask, api: Api, text: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE"):
        for rule, path in paths(app, method):
            if rule.startswith("/api/v1/") and not rule.endswith("/webhook"):
                for query in ({"x": text}, {text: "x"}, {"x": ["y", text]}):
                    answer = api.call(method, path.removeprefix("/api/v1"), query_string=query)

                    assert answer.status_code == 400, (method, path)
                    assert "query" in answer.get_json()["detail"]


def test_says_so_in_words(client: FlaskClient) -> None:
    page = Page.of(client.post("/signup", data={"name": "Ada\x00"}))

    assert "can’t be stored. Go back and type it again." in page.text
    assert page.text.count("Go back") == 1


@for_each(
    "path",
    ["/operator/events", "/operator/audit", "/operator/customers", "/operator/customers?sort=name"],
)
@for_each("name", ["before", "after"])
def test_a_position_that_no_list_has_named_is_no_page(console: FlaskClient, path: str, name: str) -> None:
    for value in ODD:
        answer = console.get(f"{path}{'&' if '?' in path else '?'}{urlencode({name: value})}")

        if not (path.endswith("audit") and value == "0" * 26):
            assert answer.status_code == 404, value
            assert "no such page" in Page.of(answer).text


def test_a_long_name_is_no_position(console: FlaskClient) -> None:
    for value in ("x" * 257 + "~" + "0" * 26, "~" + "0" * 26, "x~y"):
        answer = console.get("/operator/customers", query_string={"sort": "name", "after": value})

        assert answer.status_code == 404, value
