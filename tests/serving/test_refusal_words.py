"""What gunicorn's parser cannot read is answered in our words, to people and to programs."""

import pytest
from flask import Flask
from gunicorn.http import errors

from app.serving import refusals


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.LimitRequestLine(1, 1), 414),
        (errors.LimitRequestHeaders("long"), 431),
        (errors.InvalidRequestLine("odd"), 400),
        (errors.ConfigurationProblem("ours"), 500),
        (ValueError("ours"), 500),
    ],
)
def test_blame_the_client_only_for_its_own_mistakes(error: Exception, status: int) -> None:
    assert refusals.status_of(error) == status


def test_are_a_page_for_people(app: Flask) -> None:
    head, _, body = refusals.refuse(app, b"GET /signup HTTP/1.1\r\n", 431).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 431 ")
    assert b"Connection: close" in head
    assert b"<h1" in body


def test_are_a_problem_document_for_programs(app: Flask) -> None:
    head, _, body = refusals.refuse(app, b"POST /api/v1/customers HTTP/1.1\r\n", 400).partition(b"\r\n\r\n")

    assert b"Content-Type: application/problem+json" in head
    assert b'"status": 400' in body or b'"status":400' in body
