"""The company's own app: it signs hand-overs by hand, well or badly, and sends a browser along."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import db
from app.core.db import new_id, utcnow
from app.onboarding import handovers
from tests.support.browser import Element, Page

HEADER = {"alg": "HS256", "typ": "JWT"}
CLAIMS: dict[str, Any] = {
    "name": "Ada Lovelace Ltd",
    "email": "ada@example.com",
    "currency": "EUR",
    "key": "customer-42",
    "subjectKeys": ["meter-1", "meter-2"],
}
RETURN_URL = "https://app.example.com/billing?from=gangway"


def make_secret(app: Flask, name: str | None = None) -> str:
    """Return the text of a new secret."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        _, text = handovers.create_secret(session, name or f"app {new_id()}", actor="operator:test")
        session.commit()
        return text


def secret_ids(app: Flask) -> list[str]:
    """The ids of all secrets, the oldest first."""
    with app.app_context():
        return [secret.id for secret in reversed(handovers.list_secrets(db.session()))]


def revoke_secrets(app: Flask) -> None:
    """Revoke every secret."""
    with app.app_context():
        session = db.session()
        db.start_write(session)
        for secret in handovers.list_secrets(session):
            handovers.revoke_secret(session, secret.id, actor="operator:test")
        session.commit()


def encoded(part: Any) -> str:
    """A part of a token: JSON or bytes in base64url."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def in_seconds(**time: float) -> int:
    """A moment from now on, as tokens write it."""
    return int((utcnow() + timedelta(**time)).timestamp())


def sign(secret: str, claims: dict[str, Any] | None = None, *, header: Any = None, **more: Any) -> str:
    """A token with the usual claims, and some in their place. None leaves one out."""
    said = {"exp": in_seconds(minutes=5)} | (CLAIMS if claims is None else claims) | more
    said = {name: value for name, value in said.items() if value is not None}
    text = f"{encoded(header or HEADER)}.{encoded(said)}"
    return f"{text}.{encoded(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())}"


def _value(element: Element) -> str:
    chosen = element if element.tag == "input" else None
    for option in element.all("option"):
        if chosen is None or "selected" in option.attributes:
            chosen = option
    return chosen.get("value") if chosen else ""


class HandoverPage:
    """The page that a browser gets for a token, or when it comes back without one."""

    def __init__(self, client: FlaskClient, token: str | None = None) -> None:
        self._client = client
        self.answer = client.get("/signup", query_string=None if token is None else {"handover": token})
        self.page = Page("") if self.answer.status_code == 303 else Page.of(self.answer)

    def fields(self, **typed: Any) -> dict[str, Any]:
        """All that the form sends, with what is typed in place of what it holds."""
        form = self.page.one("form", id="details")
        held: dict[str, Any] = {}
        for element in form.all():
            if element.tag in {"input", "select"} and element.get("name"):
                held.setdefault(element["name"], []).append(_value(element))
        return held | typed

    def submit(self, **typed: Any) -> TestResponse:
        """Send the form."""
        return self._client.post("/signup", data=self.fields(**typed))

    def press(self) -> TestResponse:
        """Press the button of the page for a customer that is there already."""
        form = self.page.one("form", action="/handover")
        return self._client.post(
            "/handover", data={element["name"]: element.get("value") for element in form.all("input")}
        )
