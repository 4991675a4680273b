"""The pages of the installed Stripe apps, as an administrator uses them."""

from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.audit import Entry
from app.core import db
from tests.support.browser import Page

STRIPE = "/operator/stripe"


def then(console: FlaskClient, answer: TestResponse) -> Page:
    """The page that an answer leads to."""
    assert answer.status_code == 303, Page.of(answer).text
    return Page.of(console.get(answer.location.partition("#")[0]))


def told(app: Flask, kind: str) -> list[Any]:
    """What the audit log says of a kind, with who did it."""
    with app.app_context():
        found = db.session().scalars(sa.select(Entry).where(Entry.kind == kind).order_by(Entry.id))
        return [(entry.actor.partition(":")[0], entry.facts) for entry in found]
