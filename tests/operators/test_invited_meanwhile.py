"""Two admins invite one email address at the same moment: the second reads that it is taken."""

from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.core.db import new_id, utcnow
from app.operators.models import Operator
from tests.support.browser import Page
from tests.support.console import post, sign_in
from tests.support.rivals import comes_first
from tests.support.rows import Rows


def test_the_address_is_marked_as_taken(app: Flask, rows: Rows) -> None:
    admin = sign_in(app)
    bob: dict[str, Any] = {"email": "bob@example.com", "email_folded": "bob@example.com", "name": "Rival"}
    theirs = sa.insert(Operator).values(id=new_id(), role="viewer", created_at=utcnow(), **bob)

    with comes_first(app, "INSERT INTO operator ", theirs):
        answer = post(admin, "/operator/team", email="Bob@example.com", name="Bob", role="viewer")

    assert answer.status_code == 422
    assert "already" in Page.of(answer).error("email")
    assert "Bob" not in {who.name for who in rows(Operator)}
