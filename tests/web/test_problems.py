"""When something goes wrong, people get a page and programs a problem document, with no trace or secret."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.core.errors import Conflict, Invalid, NotFound, PreconditionFailed, Unauthorized
from app.web import wording
from tests.support.browser import Page
from tests.support.cases import for_each

SECRET = "sk_test_51SECRETSECRET"


def test_unknown_address_gets_a_page(client: FlaskClient) -> None:
    answer = client.get("/nowhere")

    page = Page.of(answer)
    assert answer.status_code == 404
    assert page.h1 == "We can’t find this page"
    assert page.one("main").all("a", href="/signup")
    assert "help@example.com" in page.text


def test_page_names_the_request(client: FlaskClient) -> None:
    answer = client.get("/nowhere")

    assert answer.headers["X-Request-Id"] in Page.of(answer).text


def test_unknown_address_of_the_api_gets_a_problem_document(client: FlaskClient) -> None:
    answer = client.get("/api/v1/nowhere")

    assert answer.status_code == 404
    assert answer.headers.getlist("Content-Type") == ["application/problem+json"]
    body = json.loads(answer.get_data())
    assert set(body) == {"type", "title", "status", "detail", "instance"}
    assert (body["type"], body["title"], body["status"]) == ("about:blank", "Not Found", 404)
    assert body["instance"] == f"urn:request:{answer.headers['X-Request-Id']}"


@pytest.mark.parametrize(
    ("path", "wrong", "right"),
    [("/return", "POST", "GET"), ("/resume", "GET", "POST"), ("/signup", "PUT", "POST")],
)
def test_wrong_method_gets_a_page_that_keeps_the_right_ones(
    client: FlaskClient, path: str, wrong: str, right: str
) -> None:
    answer = client.open(path, method=wrong)

    assert answer.status_code == 405
    assert right in answer.headers["Allow"].split(", ")
    assert "from the beginning" in Page.of(answer).text


def test_wrong_method_of_the_api_gets_a_problem_that_keeps_the_right_ones(client: FlaskClient) -> None:
    answer = client.get("/api/v1/apps/01J00000000000000000000000/stripe/webhook")

    assert answer.status_code == 405
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "POST" in answer.headers["Allow"]


@for_each(
    "path",
    [
        "/signup/",
        "/RETURN",
        "/signup/x",
        "/static/../app/core/db.py",
        "/static/",
        "/%00",
        "/static/%00",
        "/brand/logo",
    ],
)
def test_near_misses_are_not_found(client: FlaskClient, path: str) -> None:
    answer = client.get(path)

    assert answer.status_code == 404
    Page.of(answer)


def test_address_is_not_repeated_in_the_page(client: FlaskClient) -> None:
    answer = client.get("/<script>alert(1)</script>")

    assert "alert(1)" not in answer.get_data(as_text=True)


def raising(error: Exception) -> str:
    raise error


@pytest.mark.own_app
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("It is wrong."), 400),
        (Unauthorized("Who is it?"), 401),
        (NotFound("It is not there."), 404),
        (Conflict("It is taken."), 409),
        (PreconditionFailed("It is too late."), 412),
    ],
)
@pytest.mark.parametrize("path", ["/boom", "/api/boom"])
def test_explained_failure_is_told_with_its_status(
    app: Flask, error: Exception, status: int, path: str
) -> None:
    app.add_url_rule(path, path, lambda: raising(error))

    answer = app.test_client().get(path)

    assert answer.status_code == status
    assert str(error) in answer.get_data(as_text=True)
    if path == "/boom":
        Page.of(answer)


@pytest.mark.own_app
@pytest.mark.parametrize("path", ["/boom", "/api/boom"])
def test_unforeseen_failure_tells_nothing_but_its_number(app: Flask, path: str) -> None:
    app.add_url_rule(path, path, lambda: raising(RuntimeError(f"database password, {SECRET}")))

    answer = app.test_client().get(path)

    text = answer.get_data(as_text=True)
    assert answer.status_code == 500
    assert SECRET not in text
    assert "password" not in text
    assert "RuntimeError" not in text
    assert answer.headers["X-Request-Id"] in text
    if path == "/boom":
        assert Page.of(answer).h1 == "Something went wrong"


@pytest.mark.parametrize(
    ("status", "method", "path", "data"),
    [
        (404, "GET", "/nowhere", None),
        (405, "PUT", "/signup", None),
        (413, "POST", "/signup", {"name": "x" * 70_000}),
    ],
)
def test_pages_speak_to_people(
    client: FlaskClient, status: int, method: str, path: str, data: dict[str, str] | None
) -> None:
    answer = client.open(path, method=method, data=data)

    page = Page.of(answer)
    assert answer.status_code == status
    assert_is_for_people(page)


@pytest.mark.parametrize(
    "error", [Conflict("a: b"), Invalid("No."), NotFound("No."), PreconditionFailed("Late.")]
)
@pytest.mark.own_app
def test_no_page_has_a_heading_of_http(bare_app: Flask, error: Exception) -> None:
    def fail() -> str:
        raise error

    bare_app.add_url_rule("/fails", view_func=fail)

    assert_is_for_people(Page.of(bare_app.test_client().get("/fails")))


def assert_is_for_people(page: Page) -> None:
    """No phrase of HTTP, what to do, and the address of somebody who helps."""
    assert not wording.is_phrase(page.h1)
    assert len(page.one("main").all("p")) >= 3
    assert "help@example.com" in page.one("main").text
