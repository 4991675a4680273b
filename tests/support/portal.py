"""The portal's forms, filled in as a visitor would."""

import secrets
from typing import Any
from urllib.parse import urlsplit

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.onboarding.form.forms import Form
from tests.support.browser import Page
from tests.support.console import csrf

DETAILS: dict[str, Any] = {
    "name": "Ada Lovelace Ltd",
    "email": "ada@example.com",
    "currency": "EUR",
    "key": "ada-1",
    "subject_keys": ["engine-1", "engine-2"],
}


class SignupPage:
    """The sign-up form as one tab of a browser has it: with its own hidden token and nonce."""

    def __init__(self, client: FlaskClient, path: str = "/signup") -> None:
        self._client = client
        self._hidden: dict[str, str] | None = None
        self.page = Page.of(client.get(path))

    @classmethod
    def unread(cls, client: FlaskClient) -> "SignupPage":
        """A form that this browser can send, and that nobody looks at: to draw and read it takes long."""
        app = client.application
        with client.session_transaction() as cookie:
            cookie.permanent = True
            cookie.setdefault("browser", secrets.token_urlsafe(24))
        with app.app_context():
            nonce = Form().nonce
        made = cls.__new__(cls)
        made._client, made._hidden = client, {"csrf_token": csrf(client), "nonce": nonce}
        return made

    @property
    def has_fields(self) -> bool:
        """Is there a form? Some answers take its place."""
        return self._hidden is not None or bool(self.page.all(name="csrf_token"))

    def fields(self, **details: Any) -> dict[str, Any]:
        """All that the form sends, with these details in place of the usual ones."""
        return (self._hidden or self._read()) | DETAILS | details

    def _read(self) -> dict[str, str]:
        form = self.page.one("form", id="details")  # other forms of the page have a token too
        return {name: form.one("input", name=name)["value"] for name in ("csrf_token", "nonce")}

    def submit(self, **details: Any) -> TestResponse:
        """Press "Continue to payment". A page that comes back takes the place of this one."""
        return self.send(self.fields(**details))

    def send(self, fields: dict[str, Any], **options: Any) -> TestResponse:
        """Post exactly these fields."""
        answer = self._client.post("/signup", data=fields, **options)
        if answer.mimetype == "text/html" and answer.status_code in {200, 422, 503}:
            self.page, self._hidden = Page.of(answer), None
        return answer

    def press(self, button: str, value: str = "1", **details: Any) -> TestResponse:
        """Press a button that only changes the form."""
        return self.submit(**details, **{button: value})


def sign_up(client: FlaskClient, **details: Any) -> str:
    """Sign up. Return the id of the checkout session (cs_…) that this opens."""
    answer = SignupPage.unread(client).submit(**details)
    assert answer.status_code == 303, Page.of(answer).text
    return session_of(answer)


def session_of(answer: TestResponse) -> str:
    """The session (cs_…) of the Stripe page that an answer leads to."""
    assert answer.status_code == 303
    return urlsplit(answer.location).path.rsplit("/", 1)[-1]


def resume(client: FlaskClient, path: str = "/cancelled") -> TestResponse:
    """Press the button on a page that leads on to Stripe."""
    page = Page.of(client.get(path))
    form = page.one("form", action="/resume")
    fields = {element["name"]: element.get("value") for element in form.all("input")}
    return client.post("/resume", data=fields)


def client_cookie(client: FlaskClient) -> str:
    """The cookie in which this browser keeps its session."""
    cookie = client.get_cookie("gangway")
    assert cookie is not None
    return cookie.value
