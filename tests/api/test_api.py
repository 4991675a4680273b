"""What every JSON route does before its own work begins: all kinds of rubbish, none of it our fault."""

import json
from io import BytesIO
from typing import Any

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from app.customers import Customer
from tests.support.api import Api, check, sent, wrong_fields
from tests.support.cases import for_each
from tests.support.rows import Rows

ACME = {"name": "ACME, Inc.", "key": "acme"}
LARGEST = 64 * 1024
CALLS = [
    ("POST", "/customers"),
    ("PUT", "/customers/acme"),
    ("POST", "/stripe/checkout/sessions"),
]


def raw(api: Api, body: bytes, method: str = "POST", path: str = "/customers") -> Any:
    return api.call(method, path, data=body, content_type="application/json")


class TestAddresses:
    """Addresses that lead nowhere."""

    @for_each(
        "path",
        [
            "",
            "/",
            "/nowhere",
            "/customers/",
            "/customers//stripe",
            "//customers",
            "/customers/a/b",
            "/%00",
            "/%ff",
        ],
    )
    def test_unknown_is_404(self, api: Api, path: str) -> None:
        answer = api.get(path)

        assert answer.status_code == 404
        assert answer.get_json()["title"] == "Not Found"

    @for_each("path", ["/api/", "/api/v2/customers", "/api/v1", "/api/%2e%2e/signup", "/api//v1"])
    def test_unknown_beside_the_version_is_404(self, client: FlaskClient, path: str) -> None:
        answer = client.get(path)

        check(answer)
        assert answer.status_code == 404

    @for_each(
        ("method", "path", "allowed"),
        [
            ("PATCH", "/customers", {"GET", "HEAD", "OPTIONS", "POST"}),
            ("DELETE", "/customers", {"GET", "HEAD", "OPTIONS", "POST"}),
            ("GET", "/stripe/checkout/sessions", {"OPTIONS", "POST"}),
            ("BREW", "/customers", {"GET", "HEAD", "OPTIONS", "POST"}),
        ],
    )
    def test_another_method_is_405_and_names_the_right_ones(
        self, api: Api, method: str, path: str, allowed: set[str]
    ) -> None:
        answer = api.call(method, path)

        assert answer.status_code == 405
        assert set(answer.headers["Allow"].split(", ")) == allowed

    @for_each("path", ["/api/openapi.json", "/api/docs"])
    def test_what_is_only_read_takes_no_post(self, client: FlaskClient, path: str) -> None:
        answer = client.post(path)

        check(answer)
        assert answer.status_code == 405

    @for_each("key", ["%00", "a%00b", "%2F%00", "%C0%80%00"])
    def test_nul_in_an_address_is_refused(self, api: Api, key: str) -> None:
        answer = api.get(f"/customers/{key}")

        assert answer.status_code == 400
        assert wrong_fields(answer) == {"/customerIdOrKey"}

    @for_each("raw_path", ["/api/v1/customers/\xff", "/api/v1/customers/%", "/api/v1/customers/%zz"])
    def test_bytes_that_are_no_text_are_unknown(self, app: Flask, api: Api, raw_path: str) -> None:
        environ = EnvironBuilder(method="GET", headers=Headers(api.headers)).get_environ()
        environ |= {"PATH_INFO": raw_path, "RAW_URI": raw_path, "REQUEST_URI": raw_path}

        answer = sent(app, environ)

        check(answer)
        assert answer.status_code == 404

    def test_a_whole_url_is_read_as_its_path(self, app: Flask, api: Api) -> None:
        api.post("/customers", ACME | {"key": "a/b"})
        environ = EnvironBuilder(path="/api/v1/customers/a/b", headers=Headers(api.headers)).get_environ()
        environ["RAW_URI"] = environ["REQUEST_URI"] = "http://127.0.0.1:8000/api/v1/customers/a%2Fb?x=%2F"

        answer = sent(app, environ)

        assert answer.status_code == 200

    @for_each(
        "query",
        [
            "name=%ff",
            "name=\xff",
            "name=%ED%A0%80",
            "&&==&",
            "name=%",
            "pageSize=1&pageSize=2",
            "\xff=\xfe",
        ],
    )
    def test_a_query_of_rubbish_is_no_fault_of_ours(self, app: Flask, api: Api, query: str) -> None:
        environ = EnvironBuilder(path="/api/v1/customers", headers=Headers(api.headers)).get_environ()
        environ["QUERY_STRING"] = query

        answer = sent(app, environ)

        check(answer)
        assert answer.status_code == 200


@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b'{"name": "A", "key": "k"} trailing', "A"),
        (b'{"name": "A", "key": "k"}{"name": "B"}', "A"),
        (b'\xef\xbb\xbf {"name": "A", "key": "k"}', "A"),
        (b'{"name": "\xff", "key": "k"}', "\ufffd"),
    ],
)
def test_a_body_is_read_as_openmeters_server_reads_it(api: Api, body: bytes, name: str) -> None:
    answer = raw(api, body, "POST", "/customers")

    assert answer.status_code == 201
    assert answer.get_json()["name"] == name


class TestBodies:
    """Bodies that are not what they should be."""

    @for_each(("method", "path"), CALLS)
    @for_each(
        "body",
        [
            b"",
            b" ",
            b"{",
            b"nul",
            b"\xff\xfe{}",
            b'{"name": NaN, "key": "k"}',
            b'{"name": "A", "key": "k", "x": Infinity}',
            b'{"name": "A", "key": "k", "x": -Infinity}',
            b"{'name': 'A'}",
            b'{"name": "A\x00", "key": "k"}',
            b'{"name": "A\n", "key": "k"}',
            b'{"name": ' + b"9" * 5000 + b', "key": "k"}',
            b"[" * 30_000,
            b'{"a":' * 10_000,
            "{}".encode("utf-16"),
        ],
    )
    def test_no_json_is_refused(self, api: Api, rows: Rows, method: str, path: str, body: bytes) -> None:
        answer = raw(api, body, method, path)

        assert answer.status_code == 400
        assert "JSON" in answer.get_json()["detail"]
        assert rows(Customer) == []

    @for_each(("method", "path"), CALLS)
    @for_each("body", [b"[]", b"null", b"5", b'"x"', b"true", b"1e999", b"[[]]", b"{}", b"[{}]"])
    def test_another_type_is_refused(self, api: Api, method: str, path: str, body: bytes) -> None:
        answer = raw(api, body, method, path)

        assert answer.status_code == 400
        assert answer.get_json()["detail"].startswith("validation error: ")

    @for_each(("method", "path"), CALLS)
    @for_each("depth", [100, 400, 900])
    def test_deep_nesting_is_no_fault_of_ours(self, api: Api, method: str, path: str, depth: int) -> None:
        deep = b"[" * depth + b"]" * depth

        answer = raw(api, b'{"name": ' + deep + b', "unknown": ' + deep + b"}", method, path)

        assert answer.status_code == 400

    @for_each(("method", "path"), CALLS)
    @for_each(
        ("content_type", "status"),
        [
            ("application/json", None),
            ("application/json; charset=utf-8", None),
            ("APPLICATION/JSON", None),
            ("text/plain", 400),
            ("application/x-www-form-urlencoded", 400),
            ("application/problem+json", 400),
            ("multipart/form-data", 400),
            ("", 400),
            ("/;;,", 400),
        ],
    )
    def test_only_json_is_taken(
        self, api: Api, method: str, path: str, content_type: str, status: int | None
    ) -> None:
        answer = api.call(method, path, data=b'{"x": 1}', content_type=content_type)

        assert answer.status_code == 400
        said = "Content-Type" in answer.get_json()["detail"]
        assert said == (status == 400)

    @for_each(("method", "path"), CALLS)
    def test_no_content_type_is_refused(self, api: Api, method: str, path: str) -> None:
        answer = api.call(method, path, data=b"{}")

        assert answer.status_code == 400

    @for_each(("method", "path"), CALLS)
    def test_too_much_of_unknown_length_is_413(self, app: Flask, api: Api, method: str, path: str) -> None:
        headers = Headers([*api.headers.items(), ("Content-Type", "application/json")])
        environ = EnvironBuilder(path=f"/api/v1{path}", method=method, headers=headers).get_environ()
        environ |= {"wsgi.input": BytesIO(b"{}" + b" " * LARGEST), "wsgi.input_terminated": True}

        answer = sent(app, environ)

        check(answer)
        assert answer.status_code == 413

    @for_each(("method", "path"), CALLS)
    def test_too_much_is_413(self, api: Api, method: str, path: str) -> None:
        answer = raw(api, b'{"name": "' + b"x" * LARGEST + b'"}', method, path)

        assert answer.status_code == 413
        assert answer.get_json()["detail"].startswith("request entity too large error: ")


class TestText:
    """Text that no database takes."""

    @for_each(
        ("body", "fields"),
        [
            (rb'{"name": "A\u0000", "key": "k"}', {"/name"}),
            (rb'{"name": "\ud800", "key": "k"}', {"/name"}),
            (rb'{"name": "\udc00\ud800", "key": "k"}', {"/name"}),
            (
                rb'{"name": "A", "usageAttribution": {"subjectKeys": ["\u0000"]}}',
                {"/usageAttribution/subjectKeys/0"},
            ),
            (rb'{"name": "A", "key": "k", "metadata": {"\ud800": "x"}}', {"/metadata"}),
            (rb'{"name": "A", "key": "k", "metadata": {"a/b": "\u0000"}}', {"/metadata/a~1b"}),
            (rb'{"name": "\u0000", "key": "\ud800"}', {"/name", "/key"}),
        ],
    )
    def test_is_refused_by_its_field(self, api: Api, rows: Rows, body: bytes, fields: set[str]) -> None:
        answer = raw(api, body)

        assert answer.status_code == 400
        assert wrong_fields(answer) == fields
        assert rows(Customer) == []

    @pytest.mark.parametrize(
        ("body", "name"),
        [
            (rb'{"name": "\ud83d\ude00", "key": "k"}', "\U0001f600"),
            ("\ufeff{}".encode()[:3] + b'{"name": "A", "key": "k"}', "A"),
            (b'{"name": "first", "name": "A", "key": "k"}', "A"),
            (b'{"name": "A", "key": "k", "x": 1e999, "y": 9007199254740993}', "A"),
            ('{"name": "\u202eA\u0301", "key": "k"}'.encode(), "\u202eA\u0301"),
        ],
    )
    def test_is_kept_when_it_is_only_unusual(self, api: Api, rows: Rows, body: bytes, name: str) -> None:
        answer = raw(api, body)

        assert answer.status_code == 201
        assert answer.get_json()["name"] == rows(Customer)[0].name == name


class TestHeaders:
    """Headers that nobody would send."""

    @for_each(
        "headers",
        [
            {"Host": "a b"},
            {"Host": ""},
            {"Host": "[::1"},
            {"Host": "\xff"},
            {"Content-Length": "x"},
            {"Content-Length": "-1"},
            {"Accept": "\x00"},
            {"Cookie": "\xff=\xfe; ;;="},
            {"X-Forwarded-For": "\x00"},
            {"Range": "bytes=5-1"},
            {"If-None-Match": "\xff"},
            {"Authorization": "Digest \xff"},
        ],
    )
    def test_are_no_fault_of_ours(self, app: Flask, api: Api, headers: dict[str, str]) -> None:
        environ = EnvironBuilder(path="/api/v1/customers", headers=Headers(api.headers)).get_environ()
        environ |= {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}

        answer = sent(app, environ)

        check(answer)
        assert answer.status_code < 500

    def test_head_is_answered_as_get_without_a_body(self, api: Api) -> None:
        answer = api.client.head("/api/v1/customers", headers=api.headers)

        assert (answer.status_code, answer.get_data()) == (200, b"")
        assert answer.headers["Content-Type"] == "application/json"

    def test_options_names_the_methods(self, client: FlaskClient) -> None:
        answer = client.options("/api/v1/customers")

        assert answer.status_code == 200
        assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}

    def test_answers_are_not_kept_by_anybody(self, api: Api) -> None:
        assert api.get("/customers").headers["Cache-Control"] == "no-store"

    def test_a_session_cookie_gives_no_right(self, app: Flask, client: FlaskClient) -> None:
        client.get("/signup")

        answer = client.post("/api/v1/customers", json=ACME)

        check(answer)
        assert answer.status_code == 401


@pytest.mark.own_app
class TestFailures:
    """Failures of all kinds have one shape."""

    @pytest.mark.parametrize("status", [400, 403, 404, 406, 410, 413, 415, 422, 429, 500, 501, 502, 503])
    def test_any_status_is_a_problem(self, app: Flask, client: FlaskClient, status: int) -> None:
        app.add_url_rule("/api/boom", "boom", lambda: abort(status))

        answer = client.get("/api/boom")

        check(answer)
        assert answer.status_code == status

    def test_a_bug_tells_nothing(self, app: Flask, client: FlaskClient) -> None:
        def boom() -> str:
            raise RuntimeError("password")

        app.add_url_rule("/api/boom", "boom", boom)

        answer = client.get("/api/boom")

        check(answer)
        assert answer.status_code == 500
        assert "password" not in answer.get_data(as_text=True)

    def test_too_many_requests_keep_their_headers(self, app: Flask, client: FlaskClient) -> None:
        from werkzeug.exceptions import TooManyRequests  # noqa: PLC0415

        def boom() -> str:
            raise TooManyRequests(retry_after=7)

        app.add_url_rule("/api/boom", "boom", boom)

        answer = client.get("/api/boom")

        check(answer)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")

    def test_each_request_has_its_own_id(self, api: Api) -> None:
        one, other = (api.get("/nowhere").get_json()["instance"] for _ in range(2))

        assert one != other

    def test_what_routing_redirects_is_not_a_failure(self, app: Flask, client: FlaskClient) -> None:
        app.add_url_rule("/folder/", "folder", lambda: "")

        answer = client.get("/folder")

        assert (answer.status_code, answer.location) == (308, "/folder/")

    def test_detail_is_ascii_on_the_wire(self, api: Api) -> None:
        answer = api.get("/customers/%F0%9F%98%80")

        assert answer.get_data().isascii()
        assert "\U0001f600" in json.loads(answer.get_data())["detail"]


def test_headers_given_twice_are_no_fault_of_ours(app: Flask, api: Api) -> None:
    headers = Headers(
        [*api.headers.items(), *api.headers.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    )

    answer = app.test_client().post("/api/v1/customers", json=ACME, headers=headers)

    check(answer)
    assert answer.status_code in {201, 401}
