"""A program's right to call the API, as an operator gives it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from app import operators
from app.core import db
from app.core.db import new_id


def bearer(app: Flask, scope: str = "admin") -> dict[str, str]:
    """The headers of a program that has a new token with this scope."""
    with app.app_context():
        session = db.session()
        _, text = operators.create_token(session, f"test {new_id()}", scope=scope, actor="test")
        session.commit()
    return {"Authorization": f"Bearer {text}"}


def program(app: Flask, scope: str = "admin") -> FlaskClient:
    """A program that sends a new token with this scope on every call."""
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = bearer(app, scope)["Authorization"]
    return client


def meanwhile(app: Flask, method: str, path: str, body: Any = None) -> Callable[[], None]:
    """Something that another program does at some point of a test, on another thread."""

    def call() -> None:
        with ThreadPoolExecutor(1) as thread:
            answer = thread.submit(lambda: program(app).open(path, method=method, json=body)).result()
        assert answer.status_code < 400, answer.get_data(as_text=True)

    return call
