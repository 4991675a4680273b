"""A program that calls the JSON API, and what must hold of every answer that it gets."""

import json
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from tests.support.tokens import bearer

PROBLEM = {"type", "title", "status", "detail", "instance"}
JSON = dict[str, Any]


class Api:
    """A caller with a token. Every failure is held to the shape that all have."""

    def __init__(self, client: FlaskClient, headers: dict[str, str]) -> None:
        self.client = client
        self.headers = headers

    def call(self, method: str, path: str, body: Any = None, **options: Any) -> TestResponse:
        """Send a request, with this JSON in it if there is any; a key in `headers` replaces ours."""
        headers = self.headers | options.pop("headers", {})
        if body is not None:
            options["json"] = body
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **options)
        check(answer)
        return answer

    def get(self, path: str, **query: Any) -> TestResponse:
        """Ask for something."""
        return self.call("GET", path, query_string=query)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **options: Any) -> TestResponse:
        """Make something, perhaps under an Idempotency-Key."""
        headers = options.pop("headers", {}) | ({"Idempotency-Key": key} if key is not None else {})
        return self.call("POST", path, body, headers=headers, **options)

    def put(self, path: str, body: Any = None) -> TestResponse:
        """Replace something."""
        return self.call("PUT", path, body)

    def delete(self, path: str) -> TestResponse:
        """Delete something."""
        return self.call("DELETE", path)


def sent(app: Flask, environ: dict[str, Any]) -> TestResponse:
    """Hand a request to the application as it is, however odd."""
    iterable, status, headers = run_wsgi_app(app, environ)
    return TestResponse(iterable, status, headers, Request(environ))


def check(answer: TestResponse) -> None:
    """What must hold of every answer."""
    request_id = answer.headers["X-Request-Id"]
    assert answer.headers.getlist("X-Request-Id") == [request_id]
    if answer.status_code < 300:
        return
    assert answer.headers.getlist("Content-Type") == ["application/problem+json"]
    body = json.loads(answer.get_data())
    assert body.keys() - {"extensions"} == PROBLEM
    assert body["type"] == "about:blank"
    assert body["status"] == answer.status_code
    assert body["detail"]
    assert body["instance"] == f"urn:request:{request_id}"
    assert (answer.status_code == 401) == ("WWW-Authenticate" in answer.headers)


def wrong_fields(answer: TestResponse) -> set[str]:
    """The JSON pointers of what was wrong."""
    found = answer.get_json()["extensions"]["validationErrors"]
    assert all(error["code"] and error["message"] for error in found)
    return {error["field"] for error in found}


def problem(answer: TestResponse, status: int) -> tuple[str, set[str]]:
    """The detail of a problem, and the fields that it names."""
    body = answer.get_json()
    assert answer.status_code == status, body
    assert answer.headers["Content-Type"] == "application/problem+json"
    errors = body.get("extensions", {}).get("validationErrors", [])
    return body["detail"], {error["field"] for error in errors}


@pytest.fixture
def api(app: Flask, client: FlaskClient) -> Api:
    """A program that may do everything."""
    return Api(client, bearer(app))
