"""Operators who know their passwords, and the telephones that show their codes."""

from datetime import UTC, datetime
from typing import Any, Literal

import pyotp
import pytest
import sqlalchemy as sa
import time_machine
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app import operators
from app.core import db
from app.core.db import utcnow
from app.operators.auth import passwords, second_factor
from app.operators.auth.passwords import AcceptedPassword
from app.operators.models import Operator, Role
from tests.support.browser import Page

PASSWORD = "nine purple umbrellas"
LOGIN = "/operator/login"


class CountingHasher(PasswordHasher):
    """Argon2 as cheap as it gets; knows how often it was asked whether a password fits."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified: list[str] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002 (its own name)
        self.verified.append(str(hash))
        return super().verify(hash, password)


def member(app: Flask, email: str = "ada@example.com", role: str = "admin", **details: Any) -> Operator:
    """An operator with the password PASSWORD."""
    with app.app_context():
        session = db.session()
        made = operators.create(
            session,
            email=email,
            name=details.pop("name", "Ada Lovelace"),
            role=Role(role),
            password=_accepted(details.pop("password", PASSWORD)),
            actor="test",
        )
        for name, value in details.items():
            setattr(made, name, value)
        session.commit()
    return made


def _accepted(password: str | None) -> AcceptedPassword | None:
    return AcceptedPassword(passwords.hashed(password)) if password is not None else None


def with_telephone(app: Flask, operator: Operator) -> tuple["Telephone", list[str]]:
    """Give an operator a second factor: the telephone, and the recovery codes.

    The code that turns it on is the one of half a minute ago, so that the one of now is still good. No older
    one would do, so the clock stands still meanwhile.
    """
    with time_machine.travel(datetime.now(UTC), tick=False), app.app_context():
        session = db.session()
        db.start_write(session)
        own = session.get_one(Operator, operator.id)
        setup = second_factor.offer(own)
        telephone = Telephone(setup.secret)
        codes = second_factor.enable(session, own, setup, telephone.code(steps=-1))
        session.commit()
    return telephone, codes


def change_while_verifying(
    app: Flask, hasher: CountingHasher, monkeypatch: pytest.MonkeyPatch, **values: Any
) -> None:
    """While a password is being verified, every operator is changed: has another one, if nothing else."""
    verify = hasher.verify

    def changing(stored: str | bytes, password: str | bytes) -> bool:
        with app.app_context():
            db.session().execute(
                sa.update(Operator).values(values or {"password_hash": hasher.hash("another")})
            )
            db.session().commit()
        return verify(stored, password)

    monkeypatch.setattr(hasher, "verify", changing)


class Telephone:
    """An authenticator app with one secret."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret.replace(" ", ""))

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many half minutes later."""
        return self._totp.generate_otp(int(utcnow().timestamp()) // 30 + steps)

    def wrong_code(self) -> str:
        """Six digits that it shows neither now nor soon."""
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in map(str, range(100000, 100100)) if code not in near)


def send(client: FlaskClient, path: str, *, action: str | None = None, **fields: Any) -> TestResponse:
    """Open a page, fill in the form that posts to `action`, and send it as a browser does."""
    page = Page.of(client.get(path))
    posts = [form for form in page.all("form") if action in {None, form.get("action").partition("?")[0]}]
    assert posts, f"no form on {path} posts to {action}"
    hidden = {field["name"]: field.get("value") for field in posts[0].all("input") if field.get("name")}
    chosen = {
        select["name"]: option["value"]
        for select in posts[0].all("select")
        for option in select.all("option")
        if "selected" in option.attributes
    }
    return client.post(posts[0]["action"], data=hidden | chosen | fields, buffered=True)


def log_in(
    client: FlaskClient, email: str = "ada@example.com", password: str = PASSWORD, path: str = LOGIN
) -> TestResponse:
    """Fill in the login page."""
    return send(client, path, email=email, password=password)


def is_in(client: FlaskClient) -> bool:
    """Is somebody logged in in this browser?"""
    return client.get("/operator/account").status_code == 200
