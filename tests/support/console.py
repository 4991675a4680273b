"""The console as an operator has it who is logged in."""

from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from werkzeug.test import TestResponse

from app.core import db
from app.core.db import new_id
from app.operators.auth.sessions import open_session
from app.operators.models import Operator
from tests.support.browser import Page

CSRF = "0" * 40  # what the token of a form is made of; here every browser has the same


def operator(app: Flask, role: str = "admin", **details: Any) -> Operator:
    """A new operator with an unknown password."""
    email = details.pop("email", f"{role}-{new_id().lower()}@example.com")
    fields = {"name": f"Some {role}", "role": role, "password_hash": "none that fits"} | details
    with app.app_context():
        made = Operator(id=new_id(), email=email, email_folded=email.casefold(), **fields)
        db.session().add(made)
        db.session().commit()
    return made


def sign_in(app: Flask, role: str = "admin", *, who: Operator | None = None) -> FlaskClient:
    """The browser of a new operator of that role, or of the one given, logged in."""
    chosen = who or operator(app, role)
    client = app.test_client()
    with app.app_context():
        session = db.session()
        db.start_write(session)
        own = session.get_one(Operator, chosen.id)
        _, token = open_session(session, own, address="127.0.0.1", user_agent="Firefox on Linux")
        session.commit()
    with client.session_transaction() as cookie:
        cookie["_user_id"] = token
        cookie["csrf_token"] = CSRF
    return client


def csrf(client: FlaskClient, path: str | None = None) -> str:
    """A CSRF token that is good in this browser: as a page has it in a form, or a fresh one."""
    if path is not None:
        return Page.of(client.get(path)).all("input", name="csrf_token")[0]["value"]
    with client.session_transaction() as cookie:
        raw = cookie.setdefault("csrf_token", CSRF)
    signed = URLSafeTimedSerializer(str(client.application.secret_key), salt="wtf-csrf-token").dumps(raw)
    return signed.decode() if isinstance(signed, bytes) else signed


def post(client: FlaskClient, path: str, **fields: Any) -> TestResponse:
    """Press a button or send a form on a page of the console."""
    return client.post(path, data={"csrf_token": csrf(client)} | fields)
